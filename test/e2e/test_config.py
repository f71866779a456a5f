# SPDX-License-Identifier: BSD-3-Clause
"""Wrong configurations and wrong command lines: each refused with what is wrong, and with its exit
code."""

import re
import subprocess
import tempfile

from chassis import check_config, edit, shipped, tandem, tandemctl


def refused(build, text, *expected, peer=None):
    """Checks that a configuration is refused, in words that say where and what."""
    with tempfile.TemporaryDirectory() as directory:
        code, said = check_config(build, text, directory, peer)
    assert code == 1, f"exit {code}: {said}"
    for words in expected:
        assert words in said, f"{words!r} is not in: {said}"
    return said


def refused_at(build, text, line_of, *expected):
    """The same, and the message names the file and the line that holds `line_of`."""
    number = text[:text.index(line_of)].count("\n") + 1
    said = refused(build, text, *expected)
    assert re.search(rf"check\.conf:{number}: ", said), f"line {number} is not named in: {said}"


def test_shipped_are_valid(build):
    """the shipped configurations are valid, alone and as a pair"""
    with tempfile.TemporaryDirectory() as directory:
        for side, other in (("left", "right"), ("right", "left")):
            code, said = check_config(build, shipped(side), directory, shipped(other))
            assert code == 0, said
        code, said = check_config(build, shipped("tandem"), directory)
        assert code == 0, said


def test_unknown_key(build):
    """an unknown key"""
    text = edit(shipped("left"), "srp.colour", '"red"')
    refused_at(build, text, "colour", "colour", "unknown")


def test_wrong_type(build):
    """a value of the wrong type"""
    text = edit(shipped("left"), "srp.hello-interval", '"fast"')
    refused_at(build, text, "hello-interval = \"fast\"", "hello-interval")


def test_out_of_range(build):
    """a value out of its range, which is told"""
    text = edit(shipped("left"), "chassis.priority", "256")
    refused_at(build, text, "priority = 256", "priority", "255")


def test_missing(build):
    """a key that must be there and is not"""
    refused(build, edit(shipped("left"), "srp.peer", None), "srp", "peer")


def test_duplicate_names(build):
    """two ports of one name"""
    text = shipped("left").replace('name = "core";\n\t\tdevice', 'name = "access";\n\t\tdevice')
    refused(build, text, "access", "name")


def two_pools(prefix):
    """A second pool beside 172.20.0.0/16."""
    return shipped("left").replace("pools = (\n", 'pools = (\n\t{\n\t\tname = "more";\n\t\tprefix '
                                                  '= "' + prefix
                                   + '";\n\t\tsrp-activate = true;\n\t},\n', 1)


def test_overlapping_pools(build):
    """two pools that overlap"""
    refused(build, two_pools("172.20.128.0/24"), "pools[1].prefix", "overlap")


def test_unknown_pool(build):
    """an APN with a pool that is not there"""
    text = edit(shipped("left"), "apns.pool", '"nowhere"')
    refused_at(build, text, 'pool = "nowhere"', "nowhere")


def test_host_bits(build):
    """a prefix with host bits"""
    text = edit(shipped("left"), "pools.prefix", '"172.20.0.1/16"')
    refused_at(build, text, 'prefix = "172.20.0.1/16"', "172.20.0.1/16")


def test_dead_interval(build):
    """dead-interval below three hellos"""
    text = edit(shipped("left"), "srp.dead-interval", "2999")
    refused(build, text, "dead-interval", "3")


def test_equal_tie_breakers(build):
    """two chassis whose mode, priority and tie-breakers are all equal"""
    right = edit(edit(shipped("right"), "chassis.tie-breaker", '"02:00:00:00:00:01"'),
                 "chassis.mode", '"primary"')
    refused(build, shipped("left"), "tie-breaker", peer=right)


def test_pair_that_disagrees(build):
    """two chassis that disagree where they must not"""
    right = edit(shipped("right"), "pools.prefix", '"172.21.0.0/16"')
    refused(build, shipped("left"), "172.20.0.0/16", "172.21.0.0/16", peer=right)


def test_all_errors_are_listed(build):
    """every error of a file is told, not only the first"""
    text = edit(shipped("left"), "srp.colour", '"red"')
    text = edit(text, "chassis.priority", "0")
    text = edit(text, "apns.pool", '"nowhere"')
    text = edit(text, "table.max-sessions", "true")
    said = refused(build, text, "colour", "priority", "nowhere", "max-sessions")
    assert len(re.findall(r"check\.conf:\d+: ", said)) >= 4, said


def test_syntax_error(build):
    """a file that is no libconfig at all"""
    text = shipped("left").replace("srp = {", "srp = ")
    refused(build, text, "check.conf:")


def test_warning_for_unprotected_pool(build):
    """an APN on a pool that is not srp-activated is valid, with a warning"""
    text = edit(shipped("left"), "pools.srp-activate", "false")
    with tempfile.TemporaryDirectory() as directory:
        code, said = check_config(build, text, directory)
    assert code == 0, said
    assert re.search(r"check\.conf:\d+: apns\[0\]\.pool: warning:", said), said


def test_file_not_there(build):
    """a configuration that is not there"""
    done = subprocess.run([tandem(build), "-c", "/nonexistent.conf", "--check"],
                          capture_output=True,
                          text=True,
                          check=False)
    assert done.returncode == 1 and "/nonexistent.conf" in done.stderr, done


def test_usage(build):
    """no -c, and an option that is not there, are usage errors; --help is none"""
    for args in ([], ["--nonsense"], ["-c"]):
        done = subprocess.run([tandem(build), *args], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "usage" in done.stderr, done
    done = subprocess.run([tandem(build), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "usage" in done.stdout, done


def test_tandemctl_without_daemon(build):
    """tandemctl says in one line that nobody is there, and exits with 2"""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [tandemctl(build), "--socket", f"{directory}/none.sock", "show", "srp", "info"],
            capture_output=True,
            text=True,
            check=False)
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1 and not done.stdout, done


def test_tandemctl_help(build):
    """tandemctl --help names every command"""
    done = subprocess.run([tandemctl(build), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    for command in ("show srp info", "show srp statistics", "show srp checkpoint "
                    "statistics", "show sessions", "show session", "show pools", "show ports",
                    "show workers", "show configuration", "srp initiate-switchover"):
        assert command in done.stdout, f"{command} is not in {done.stdout}"
