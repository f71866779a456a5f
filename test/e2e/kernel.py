# SPDX-License-Identifier: BSD-3-Clause
"""What is asked of a network namespace's kernel without a program. Where page faults are dear a
program costs 6 ms of CPU time to start, `ip` 12 and `ip netns exec` 17, and a case starts dozens.

All but in_namespace() and the two that make and remove namespaces ask the kernel of the caller's
own namespace: they are meant for in_namespace(). OSError when it refuses."""

import collections
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
import threading

NETNS = "/run/netns"
FINISH_S = 5.0  # more than what is begun inside a namespace takes
DUMPS = 100  # so often a table is read until it does not change meanwhile
CLONE_NEWNET, MS_BIND, MNT_DETACH = 0x40000000, 4096, 2
# rtnetlink(7) and nfnetlink: requests, their flags, and attributes.
NEWLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE, GETROUTE = 16, 20, 21, 24, 25, 26
ERROR, DONE = 2, 3
DUMP_INTERRUPTED = 0x10
REQUEST, ACK, DUMP, CREATE, REPLACE, EXCL = 1, 4, 0x300, 0x400, 0x100, 0x200
NETFILTER, GETTABLE = 12, 10 << 8 | 1
MAIN, BOOT, NOWHERE, UNICAST = 254, 3, 255, 1

Route = collections.namedtuple("Route", "prefix via metric protocol")

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *args):
    """A system call of libc's that says -1 when it fails."""
    if function(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def _on_thread(make):
    """Calls make() on a thread of its own: its result, or what it raised."""
    result = []
    done = threading.Event()

    def enter():
        try:
            result.append((make(), None))
        except BaseException as error:  # pylint: disable=broad-except
            result.append((None, error))
        done.set()

    # Not by join(): when a signal's handler raises in it, it takes the thread for ended.
    try:
        threading.Thread(target=enter, daemon=True).start()
        done.wait()
    except BaseException:
        # The caller's time is over. What was begun is finished, or what it makes would not be known
        # yet to who cleans up.
        done.wait(FINISH_S)
        raise
    value, error = result[0]
    if error is not None:
        raise error
    return value


def in_namespace(namespace, make):
    """Calls make() on a thread inside a network namespace; sockets made there stay there, and
    processes started there run there."""
    def enter():
        with open(os.path.join(NETNS, namespace), encoding="ascii") as handle:
            _call(_libc.setns, handle.fileno(), CLONE_NEWNET)
        return make()
    return _on_thread(enter)


def _is_mounted(path):
    """Unlike os.path.ismount() it knows a directory that is mounted on itself, as `ip` does
    it."""
    with open("/proc/self/mountinfo", encoding="utf-8") as handle:
        return any(line.split()[4] == path for line in handle)


def make_namespace(namespace):
    """As `ip netns add`, which prepares the directory at the first."""
    path = os.path.join(NETNS, namespace)
    if not _is_mounted(NETNS):
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        return

    def enter():
        _call(_libc.unshare, CLONE_NEWNET)
        # Who looks for namespaces there meanwhile finds a file that is none.
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0))
        try:
            _call(_libc.mount, b"/proc/thread-self/ns/net", path.encode(), b"none", MS_BIND, None)
        except OSError:
            os.unlink(path)
            raise
    _on_thread(enter)


def remove_namespace(namespace):
    """As `ip netns del`."""
    path = os.path.join(NETNS, namespace)
    try:
        _call(_libc.umount2, path.encode(), MNT_DETACH)
    finally:
        os.unlink(path)


def whole_checksums(link):
    """ethtool -K LINK tx off: what a link sends has its checksums."""
    siocethtool, stxcsum = 0x8946, 0x17
    value = ctypes.create_string_buffer(struct.pack("II", stxcsum, 0))
    request = struct.pack("16sP", link.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, siocethtool, request)


def write_sysctls(settings):
    """Sets kernel values, those that there are."""
    for setting in settings:
        key, value = setting.split("=")
        path = "/proc/sys/" + key.replace(".", "/")
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as handle:
                handle.write(value)


def _attribute(kind, value):
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def _attributes(data):
    """The attributes of a message, by their kinds."""
    found, at = {}, 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        found[kind] = data[at + 4:at + size]
        at += size + 3 & ~3
    return found


def _ask(family, kind, flags, body):
    """A request over netlink. The bodies of the answers, of whatever is dumped: all of one time."""
    for _ in range(DUMPS):
        found, is_whole = _ask_once(family, kind, flags, body)
        if is_whole:
            return found
    raise OSError(errno.EAGAIN, f"the answer to {kind} changed each time while it was read")


def _ask_once(family, kind, flags, body):
    """The bodies, and whether nothing of them changed while they were read."""
    found, more, is_whole = [], True, True
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family) as sock:
        sock.send(struct.pack("=IHHII", 16 + len(body), kind, flags | REQUEST, 1, 0) + body)
        while more:
            data = sock.recv(1 << 16)
            while data and more:
                size, answer, told = struct.unpack_from("=IHH", data)
                is_whole = is_whole and not told & DUMP_INTERRUPTED
                more = answer not in (ERROR, DONE)
                # How it ended, a dump as well.
                number = 0 if more else -struct.unpack_from("=i", data, 16)[0]
                if number != 0:
                    raise OSError(number, os.strerror(number))
                if more:
                    found.append(data[16:size])
                data = data[size + 3 & ~3:]
    return found, is_whole


def _split(prefix):
    """An IPv4 prefix or host: its octets, and its length."""
    host, _, bits = prefix.partition("/")
    return socket.inet_aton(host), int(bits or 32)


def set_link(link, is_up=None, mtu=None, master=None):
    """`ip link set`: what is None stays as it is."""
    body = struct.pack("=BBHiII", 0, 0, 0, socket.if_nametoindex(link), bool(is_up),
                       is_up is not None)
    for kind, value in ((4, mtu), (10, master and socket.if_nametoindex(master))):
        if value is not None:
            body += _attribute(kind, struct.pack("=I", value))
    _ask(socket.NETLINK_ROUTE, NEWLINK, ACK, body)


def set_address(link, prefix, there=True, again=False):
    """`ip addr add` and `ip addr del` of an IPv4 address with the length of its prefix; again: it
    may be there already (`ip addr replace`)."""
    host, bits = _split(prefix)
    body = (struct.pack("=BBBBi", socket.AF_INET, bits, 0, 0, socket.if_nametoindex(link)) +
            _attribute(2, host) + _attribute(1, host))
    _ask(socket.NETLINK_ROUTE, NEWADDR if there else DELADDR,
         ACK | (CREATE | (REPLACE if again else EXCL) if there else 0), body)


def has_address(address):
    """Whether an IPv4 address is the namespace's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((address, 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            return False
    return True


def set_route(prefix, via, there=True):
    """`ip route add` and `ip route del` of an IPv4 route over a gateway."""
    host, bits = _split(prefix)
    told = (BOOT, 0, UNICAST) if there else (0, NOWHERE, 0)
    body = (struct.pack("=BBBBBBBBI", socket.AF_INET, bits, 0, 0, MAIN, *told, 0) +
            _attribute(1, host) + _attribute(5, socket.inet_aton(via)))
    _ask(socket.NETLINK_ROUTE, NEWROUTE if there else DELROUTE,
         ACK | (CREATE | EXCL if there else 0), body)


def routes():
    """The IPv4 routes of the main table."""
    found = []
    for body in _ask(socket.NETLINK_ROUTE, GETROUTE, DUMP,
                     struct.pack("=BBBBBBBBI", socket.AF_INET, *bytes(7), 0)):
        bits, table, protocol = body[1], body[4], body[5]
        if table == MAIN:
            has = _attributes(body[12:])
            via = has.get(5)
            found.append(
                Route(f"{socket.inet_ntoa(has.get(1, bytes(4)))}/{bits}",
                      via and socket.inet_ntoa(via), *struct.unpack("=I", has.get(6, bytes(4))),
                      protocol))
    return found


def packet_filters():
    """The tables of the packet filter: (family, name)."""
    return sorted((body[0], _attributes(body[4:])[1].rstrip(b"\0").decode())
                  for body in _ask(NETFILTER, GETTABLE, DUMP, bytes(4)))
