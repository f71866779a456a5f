#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lets tshark dissect every message of vectors.txt: none may be malformed or draw an expert error,
and what is told must be what was meant. 77: there is no tshark."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = ["_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "gtp.message", "gtp.teid",
          "gtp.seq_number", "gtp.cause", "gtp.recovery", "gtp.teid_data", "gtp.teid_cp",
          "gtp.nsapi", "gtp.chrg_id", "gtp.user_ipv4", "gtp.user_ipv6", "gtp.gsn_ipv4",
          "gtp.gsn_ipv6", "gtp.tear_ind", "gtp.reorder", "ipcp.opt.pri_dns_address",
          "ipcp.opt.sec_dns_address", "e212.imsi", "gtp.apn", "gtp.length", "gtp.ei"]
STRANGE = ["in_create_odd", "in_create_every_fixed"]  # meant to be read by us only
WARNING = 0x600000  # PI_WARN

# What must be in the dissection; several values of one field are joined by commas.
WANT = {
    "echo_request": {"gtp.message": "0x01", "gtp.teid": "0x00000000", "gtp.seq_number": "0x1234"},
    "echo_response": {"gtp.message": "0x02", "gtp.recovery": "7"},
    "version_not_supported": {"gtp.message": "0x03", "gtp.length": "4"},
    "supported_extension_headers": {"gtp.message": "0x1f"},
    "create_response": {
        "gtp.message": "0x11", "gtp.teid": "0x00000001", "gtp.seq_number": "0x0c00",
        "gtp.cause": "128", "gtp.recovery": "7", "gtp.teid_data": "0x12345678",
        "gtp.teid_cp": "0x12345678", "gtp.nsapi": "5", "gtp.chrg_id": "0xcafe0001",
        "gtp.user_ipv4": "172.20.0.4", "gtp.gsn_ipv4": "10.8.0.100,10.8.0.100",
        "ipcp.opt.pri_dns_address": "8.8.8.8", "ipcp.opt.sec_dns_address": "8.8.4.4"},
    "create_response_container": {"gtp.message": "0x11", "gtp.cause": "128"},
    "create_response_without_pco": {"gtp.message": "0x11", "gtp.user_ipv4": "172.20.0.4"},
    "create_response_ipv6": {"gtp.user_ipv6": "2001:db8:0:1::1", "gtp.gsn_ipv6": "2001:db8::64",
                             "gtp.gsn_ipv4": "10.8.0.100"},
    "update_response": {"gtp.message": "0x13", "gtp.cause": "128", "gtp.teid_data": "0x12345678",
                        "gtp.gsn_ipv4": "10.8.0.100,10.8.0.100"},
    "update_response_without_teids": {"gtp.message": "0x13", "gtp.teid_data": "",
                                      "gtp.teid_cp": ""},
    "create_refused": {"gtp.message": "0x11", "gtp.cause": "219", "gtp.recovery": "7"},
    "update_refused": {"gtp.message": "0x13", "gtp.cause": "192", "gtp.recovery": ""},
    "delete_response": {"gtp.message": "0x15", "gtp.cause": "128"},
    "delete_request": {"gtp.message": "0x14", "gtp.teid": "0x00000001", "gtp.nsapi": "5",
                       "gtp.tear_ind": "1"},
    "delete_request_one_context": {"gtp.tear_ind": "0"},
    "own_update_request": {"gtp.message": "0x12", "gtp.teid": "0x00000001", "gtp.nsapi": "5",
                           "e212.imsi": "240010123456789", "gtp.ei": "1"},
    "own_update_request_without_flags": {"gtp.message": "0x12", "gtp.nsapi": "5",
                                         "e212.imsi": "240010123456789", "gtp.ei": ""},
    "in_updated": {"gtp.message": "0x13", "gtp.cause": "128", "gtp.teid_data": "0x00000021",
                   "gtp.gsn_ipv4": "10.8.0.2"},
    "in_updated_empty": {"gtp.message": "0x13", "gtp.cause": "192"},
    "u_echo_response": {"gtp.message": "0x02", "gtp.recovery": "0"},
    "u_error_indication": {"gtp.message": "0x1a", "gtp.teid": "0x00000000",
                           "gtp.seq_number": "0x0000", "gtp.teid_data": "0xdeadbeef",
                           "gtp.gsn_ipv4": "10.8.0.100"},
    "u_error_indication_ipv6": {"gtp.message": "0x1a", "gtp.gsn_ipv6": "2001:db8::64"},
    "u_supported_extension_headers": {"gtp.message": "0x1f", "gtp.seq_number": "0x1234"},
    "create_request": {
        "gtp.message": "0x10", "gtp.teid": "0x00000000", "gtp.seq_number": "0x0c00",
        "e212.imsi": "240010123456789", "gtp.recovery": "2", "gtp.teid_data": "0x00000021",
        "gtp.teid_cp": "0x00000011", "gtp.nsapi": "5", "gtp.apn": "internet",
        "gtp.gsn_ipv4": "10.8.0.1,10.8.0.2"},
    "update_request": {"gtp.message": "0x12", "gtp.teid": "0x12345678",
                       "gtp.teid_data": "0x00000021", "gtp.gsn_ipv4": "10.8.0.1,10.8.0.2"},
    "in_create_sgsnemu": {"gtp.message": "0x10", "e212.imsi": "240010123456789",
                          "gtp.apn": "internet"},
}


def vectors():
    with open(os.path.join(HERE, "vectors.txt"), encoding="ascii") as f:
        return [line.split() for line in f if not line.startswith("#")]


def dissect(folder, port, messages):
    text, pcap = os.path.join(folder, f"{port}.txt"), os.path.join(folder, f"{port}.pcap")
    with open(text, "w", encoding="ascii") as f:
        for _, octets in messages:
            octets = bytes.fromhex(octets)
            for at in range(0, len(octets), 16):
                f.write(f"{at:06x} {octets[at:at + 16].hex(' ')}\n")
            f.write("\n")
    subprocess.run(["text2pcap", "-q", "-u", f"{port},{port}", text, pcap], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cmd = ["tshark", "-n", "-r", pcap, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for field in FIELDS:
        cmd += ["-e", field]
    out = subprocess.run(cmd, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True).stdout
    rows = [dict(zip(FIELDS, line.split("\t"))) for line in out.split("\n")[:-1]]
    assert len(rows) == len(messages), f"{len(rows)} packets of {len(messages)}"
    return {name: row for (name, _), row in zip(messages, rows)}


def complaints(name, row):
    if row["_ws.malformed"]:
        yield f"{name}: malformed"
    if any(int(s, 0) >= WARNING for s in row["_ws.expert.severity"].split(",") if s):
        yield f"{name}: {row['_ws.expert.message']}"
    for field, want in WANT.get(name, {}).items():
        if row[field] != want:
            yield f"{name}: {field} is {row[field]!r}, not {want!r}"


def main():
    if shutil.which("tshark") is None or shutil.which("text2pcap") is None:
        return 77
    every = vectors()
    control = [v for v in every if not v[0].startswith("u_") and v[0] not in STRANGE]
    user = [v for v in every if v[0].startswith("u_")]
    with tempfile.TemporaryDirectory() as folder:
        rows = {**dissect(folder, 2123, control), **dissect(folder, 2152, user)}
    found = [c for name, row in rows.items() for c in complaints(name, row)]
    found += [f"{name}: no such vector" for name in WANT if name not in rows]
    for line in found:
        print(line)
    print(f"{len(rows)} messages, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
