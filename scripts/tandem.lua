-- SPDX-License-Identifier: BSD-3-Clause
-- Wireshark dissector of Tandem's replication stream (UDP, lib/repl/WIRE.md) and SRP connection (TCP, lib/srp/WIRE.md) where they
-- are in plain text (insecure = true); of encrypted packets it shows the header.
-- Use: tshark -X lua_script:scripts/tandem.lua -r FILE, or copy it into Wireshark's plugin directory.

local tandem = Proto("tandem", "Tandem replication")
local srp = Proto("tandem_srp", "Tandem SRP")

local kinds = { [1] = "SLOT", [2] = "DELTA", [3] = "DIGEST", [4] = "ACK", [5] = "WANT", [6] = "HEARTBEAT", [7] = "STATUS",
    [8] = "PING", [9] = "ACCOUNT", [10] = "USAGE" }
local ordered_kinds = { [1] = true, [2] = true, [3] = true, [10] = true }
local states = { [0] = "Init", "Standby", "Pending-Active", "Active", "Pending-Standby" }
local modes = { [0] = "backup", "primary" }
local hows = { "slots", "level 2", "whole", "cycle" }
local types = { "HELLO", "ASK", "ANSWER", "OFFER", "REFUSE", "CONFIRM", "GOODBYE", "WANT_LINES", "LINES",
    "WANT_NUMBERS", "NUMBERS" }

-- ---- fields: abbreviation, and a shape: d8..d64 decimal, x8..x64 hexadecimal, bytes, ipv6, ether, text ----

local f = {}
local shapes = {
    d8 = function(a, v) return ProtoField.uint8(a, a, base.DEC, v) end,
    d16 = function(a) return ProtoField.uint16(a, a, base.DEC) end,
    d32 = function(a) return ProtoField.uint32(a, a, base.DEC) end,
    d64 = function(a) return ProtoField.uint64(a, a, base.DEC) end,
    x8 = function(a) return ProtoField.uint8(a, a, base.HEX) end,
    x16 = function(a) return ProtoField.uint16(a, a, base.HEX) end,
    x32 = function(a) return ProtoField.uint32(a, a, base.HEX) end,
    x64 = function(a) return ProtoField.uint64(a, a, base.HEX) end,
    bytes = function(a) return ProtoField.bytes(a, a) end,
    ipv6 = function(a) return ProtoField.ipv6(a, a) end,
    ether = function(a) return ProtoField.ether(a, a) end,
    text = function(a) return ProtoField.string(a, a) end,
}
local widths = { d8 = 1, d16 = 2, d32 = 4, d64 = 8, x8 = 1, x16 = 2, x32 = 4, x64 = 8, ipv6 = 16, ether = 6 }
local shape_of = {}

local function define(shape, names, values)
    for name in names:gmatch("%S+") do
        f[name] = shapes[shape]("tandem." .. name, values)
        shape_of[name] = shape
    end
end

define("d8", "version flags.phase flags.ordered key.none digest.level ack.n extra.id extra.length srp.version srp.side " ..
    "srp.priority srp.route_modifier srp.restart_counter srp.version_min srp.version_max srp.cause srp.flags srp.hello_flags")
define("d8", "record.kind", kinds)
define("d8", "srp.state", states)
define("d8", "srp.mode", modes)
define("d8", "want.how", hows)
define("d8", "srp.type", types)
define("x8", "groups")
define("d16", "key record.length digest.n want.n srp.mtu srp.length srp.piece_length")
define("x16", "digest.hash16")
define("d32", "stream offset sent digest.bucket ack.stream ack.delay ack.skip ack.run want.bucket status.stream status.buckets " ..
    "status.unmatched status.differing status.left account.stream srp.serial usage32.up_packets usage32.up_bytes " ..
    "usage32.down_packets usage32.down_bytes srp.capacity srp.id srp.offset srp.total " ..
    "srp.next_number srp.promise")
define("x32", "sender receiver handle srp.incarnation srp.hears srp.to " ..
    "srp.monitors_known srp.monitors_failed")
define("d64", "number term.number usage64.up_packets usage64.up_bytes usage64.down_packets usage64.down_bytes " ..
    "other64.up_packets other64.up_bytes other64.down_packets other64.down_bytes ack.largest ack.high ack.low " ..
    "heartbeat.sent heartbeat.pair_ms srp.term.number srp.highest.number srp.floor status.in_sync_since_ms account.next " ..
    "account.applied account.refused_stale account.refused_absent account.refused_malformed account.refused_not_owner " ..
    "account.refused_other srp.offered.number srp.number")
define("d8", "term.side srp.term.side srp.highest.side srp.offered.side")
define("x64", "digest.hash want.arg srp.config_digest srp.next_digest srp.numbers_digest srp.capabilities")
define("bytes", "extra.value record.unknown srp.more encrypted tag")
define("ether", "srp.tie_breaker")
define("text", "srp.text srp.lines srp.numbers")

-- What is replicated of a session: name, how it is read, shape, bytes.
-- rows: (test/golden/fields.py writes these lines from lib/session/include/session/fields.h)
local rows = {
    IDENTITY = {
        { "session.state", "head", "d8", 1 },
        { "session.apn", "plain", "d8", 1 },
        { "session.pool", "plain", "d8", 1 },
        { "session.pdp_type", "plain", "x8", 1 },
        { "session.key", "plain", "x64", 8 },
        { "session.msisdn", "octets", "bytes", 8 },
        { "session.ue", "address", "ipv6", 16 },
        { "session.created_ms", "plain", "d64", 8 },
        { "session.charging_id", "plain", "d32", 4 },
    },
    TUNNEL = {
        { "session.direct_tunnel", "head", "d8", 1 },
        { "session.dn_action", "plain", "d8", 1 },
        { "session.peer_ctl_teid", "plain", "x32", 4 },
        { "session.peer_usr_teid", "plain", "x32", 4 },
        { "session.peer_ctl", "address", "ipv6", 16 },
        { "session.peer_usr", "address", "ipv6", 16 },
    },
    QOS = {
        { "session.qos_len", "plain", "d8", 1 },
        { "session.qos", "octets", "bytes", 21 },
    },
    REQUEST = {
        { "session.protocol", "head", "d8", 1 },
        { "session.has_recovery", "flag", "d8", 0 },
        { "session.req_seq", "plain", "d32", 4 },
        { "session.req_digest", "plain", "x32", 4 },
        { "session.req_port", "plain", "d16", 2 },
        { "session.req_type", "plain", "d8", 1 },
        { "session.recovery", "plain", "d8", 1 },
        { "session.req_src", "address", "ipv6", 16 },
    },
    CHARGING = {
        { "session.charging", "plain", "x16", 2 },
    },
    ADDR6 = {
        { "session.ue6", "octets", "bytes", 8 },
        { "session.pool6", "plain", "d8", 1 },
    },
    ACCESS = {
        { "session.rat", "plain", "d8", 1 },
        { "session.selection_mode", "plain", "d8", 1 },
        { "session.time_zone", "octets", "bytes", 2 },
        { "session.serving_plmn", "octets", "bytes", 3 },
        { "session.imeisv", "octets", "bytes", 8 },
        { "session.uli_len", "plain", "d8", 1 },
        { "session.uli", "tail", "bytes", 13 },
    },
    AAA = {
        { "session.aaa_flags", "plain", "x8", 1 },
        { "session.interim_s", "plain", "d32", 4 },
        { "session.session_timeout_s", "plain", "d32", 4 },
        { "session.idle_timeout_s", "plain", "d32", 4 },
        { "session.rate_up_kbps", "plain", "d32", 4 },
        { "session.rate_dn_kbps", "plain", "d32", 4 },
        { "session.dns", "octets", "bytes", 8 },
    },
    ACCT = {
        { "session.acct_state", "plain", "d8", 1 },
        { "session.acct_cause", "plain", "d8", 1 },
        { "session.acct_event_s", "plain", "d32", 4 },
    },
    AMBR = {
        { "session.ambr_up_kbps", "plain", "d32", 4 },
        { "session.ambr_dn_kbps", "plain", "d32", 4 },
    },
    BEARER = {
        { "session.ebi", "plain", "d8", 1 },
        { "session.qci_arp", "octets", "bytes", 3 },
        { "session.apn_restriction", "plain", "d8", 1 },
    },
    PFCP = {
        { "session.cp_seid", "plain", "x64", 8 },
        { "session.association", "plain", "d8", 1 },
        { "session.rule_shape", "plain", "d8", 1 },
        { "session.ur_seqn", "plain", "d32", 4 },
    },
}
-- /rows

for _, group in pairs(rows) do
    for _, row in ipairs(group) do
        define(row[3], row[1])
    end
end

local list = {}
for _, field in pairs(f) do
    list[#list + 1] = field
end
tandem.fields = list

local malformed = ProtoExpert.new("tandem.expert.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
local unknown = ProtoExpert.new("tandem.expert.unknown", "Unknown", expert.group.UNDECODED, expert.severity.NOTE)
tandem.experts = { malformed, unknown }
tandem.prefs.port = Pref.uint("UDP port", 8485, "srp.stream-port")
srp.prefs.port = Pref.uint("TCP port", 8484, "srp.port")

-- ---- a cursor: what would pass the end is reported once, and then nothing more is read ----

local Cursor = {}
Cursor.__index = Cursor

local function cursor(tvb, at, length, tree)
    return setmetatable({ tvb = tvb, at = at, stop = at + length, tree = tree, bad = false }, Cursor)
end

function Cursor:left()
    return self.stop - self.at
end

function Cursor:fail(what)
    if not self.bad then
        self.bad = true
        self.tree:add_proto_expert_info(malformed, what)
    end
end

function Cursor:range(n, what)
    if self.bad or self:left() < n then
        self:fail((what or "record") .. ": cut short")
        return nil
    end
    local range = self.tvb(self.at, n)
    self.at = self.at + n
    return range
end

-- The fields of the names, one after the other; the last one's value (numbers of up to 32 bits), or nil.
function Cursor:add(names)
    local value
    for name in names:gmatch("%S+") do
        local width = widths[shape_of[name]]
        local range = self:range(width, name)
        if range == nil then
            return nil
        end
        self.tree:add(f[name], range)
        value = width <= 4 and range:uint() or nil
    end
    return value
end

function Cursor:bytes(name, n)
    if n > 0 then
        local range = self:range(n, name)
        if range ~= nil then
            self.tree:add(f[name], range)
        end
    end
end

function Cursor:term(name)
    local range = self:range(8, name)
    if range ~= nil then
        self.tree:add(f[name .. ".number"], range, range:uint64():rshift(1))
        self.tree:add(f[name .. ".side"], range(7, 1), range(7, 1):uint() % 2)
    end
end

-- ---- records ----

local function bit(value, n)
    return math.floor(value / 2 ^ n) % 2 == 1
end

local function usage(c, set)
    c:add(set .. ".up_packets " .. set .. ".up_bytes " .. set .. ".down_packets " .. set .. ".down_bytes")
end

-- One field of a group. The octet at the group's beginning (head) has a number in its low half, a flag in bit 4, and from bit 7
-- downwards whether the addresses have 16 octets. Returns what of that octet is not explained yet, the bit of the next address, and a number.
local function field(c, row, head, long, last)
    local name, how, bytes = row[1], row[2], row[4]
    if how == "head" then
        local range = c:range(1, name)
        if range == nil then
            return 0, long
        end
        c.tree:add(f[name], range, range:uint() % 16)
        return range:uint() - range:uint() % 16, long
    elseif how == "flag" then
        c.tree:add(f[name], c.tvb(c.at - 1, 1), bit(head, 4) and 1 or 0)
        return bit(head, 4) and head - 16 or head, long
    elseif how == "octets" then
        c:bytes(name, bytes)
    elseif how == "tail" then
        if last > bytes then
            c:fail(name .. " is too long")
        else
            c:bytes(name, last)
        end
    elseif how == "address" and math.floor(head / long) % 2 == 1 then
        c:add(name)
        return head - long, long / 2
    elseif how == "address" then
        local range = c:range(4, name)
        if range ~= nil then
            local none = range:uint() == 0
            c.tree:add(f[name], range, Address.ipv6(none and "::" or "::ffff:" .. tostring(range:ipv4())))
        end
        return head, long / 2
    else
        return head, long, c:add(name)
    end
    return head, long
end

local function fields(c, group)
    local head, long, last = 0, 128, 0
    for _, row in ipairs(group) do
        if c.bad then
            return
        end
        head, long, last = field(c, row, head, long, last)
    end
    if head ~= 0 then
        c:fail("bits that mean nothing")
    end
end

-- Groups of EXTRA by their ids.
local extras = { rows.CHARGING, rows.ADDR6, rows.ACCESS, rows.AAA, nil, nil, rows.ACCT, rows.AMBR, rows.BEARER, rows.PFCP }

-- Behind the group of id `above`; its own id.
local function extra(c, above)
    local id, length = c:add("extra.id"), c:add("extra.length") or 0
    if id ~= nil and id <= above then
        c:fail("a group that is not above the one before")
    elseif c.bad or extras[id] == nil then
        c:bytes("extra.value", length)
    elseif c:left() < length then
        c:fail("a group is cut short")
    else
        local stop = c.stop
        c.stop = c.at + length
        fields(c, extras[id])
        if not c.bad and c:left() > 0 then
            c:fail("a group is too long")
        end
        c.stop = stop
    end
    return id
end

local groups = {
    [0] = function(c) fields(c, rows.IDENTITY) end,
    [1] = function(c) fields(c, rows.TUNNEL) end,
    [2] = function(c)
        if c:left() > 0 and c.tvb(c.at, 1):uint() > 21 then
            c:fail("QoS of more than 21 octets")
        end
        fields(c, rows.QOS)
    end,
    [3] = function(c) fields(c, rows.REQUEST) end,
    [4] = function(c) usage(c, "usage32") end,
    [5] = function(c) usage(c, "usage64") end,
    [6] = function(c) usage(c, "other64") end,
    [7] = function(c)
        local id = 0
        while not c.bad and c:left() > 0 do
            id = extra(c, id)
        end
    end,
}

local function session(c)
    c:add("handle")
    local set = c:add("groups")
    if set == 0 then
        c:fail("no groups")
    end
    for n = 0, 7 do
        if not c.bad and bit(set, n) then
            groups[n](c)
        end
    end
end

local function body_of_srp(c)
    if c:add("srp.version") ~= 1 and not c.bad then
        c:fail("not version 1 of SRP")
    end
    c:add("srp.side srp.state srp.mode srp.priority srp.route_modifier srp.restart_counter srp.tie_breaker")
    c:term("srp.term")
    c:term("srp.highest")
    c:add("srp.floor srp.incarnation srp.hears srp.serial srp.capabilities")
end

local decode = {
    [1] = session,
    [2] = session,
    [3] = function(c)
        local level = c:add("digest.level")
        c:add("digest.bucket")
        if level == 1 then
            for _ = 1, c:add("digest.n") or 0 do
                c:add("digest.hash")
            end
        elseif level == 2 then
            for _ = 1, 64 do
                c:add("digest.hash16")
            end
        else
            c:fail("no such level")
        end
    end,
    [4] = function(c)
        c:add("ack.stream")
        local range = c.bad and nil or c:range(8, "ack.largest")
        if range == nil then
            return
        end
        local above = range:uint64() + 1
        c.tree:add(f["ack.largest"], range)
        c:add("ack.delay")
        local n = c:add("ack.n") or 0
        if n < 1 or n > 32 then
            c:fail("no ranges, or more than 32")
        end
        for i = 1, n do
            local skip, run = c:add("ack.skip"), c:add("ack.run")
            if run == nil then
                return
            end
            if run == 0 or (skip == 0) ~= (i == 1) or UInt64.new(skip) + UInt64.new(run) >= above then
                c:fail("a range that cannot be")
                return
            end
            local high = above - UInt64.new(skip) - 1
            above = high - UInt64.new(run) + 1
            c.tree:add(f["ack.high"], c.tvb(c.at - 8, 8), high):set_generated()
            c.tree:add(f["ack.low"], c.tvb(c.at - 8, 8), above):set_generated()
        end
    end,
    [5] = function(c)
        for _ = 1, c:add("want.n") or 0 do
            c:add("want.how want.bucket want.arg")
        end
    end,
    [6] = function(c)
        c:add("heartbeat.sent heartbeat.pair_ms")
        body_of_srp(c)
        c:bytes("srp.more", c.bad and 0 or c:left())
    end,
    [7] = function(c)
        c:add("status.stream status.in_sync_since_ms status.buckets status.unmatched status.differing status.left")
    end,
    [8] = function() end,
    [9] = function(c)
        c:add("account.stream account.next account.applied account.refused_stale account.refused_absent " ..
            "account.refused_malformed account.refused_not_owner account.refused_other")
    end,
    [10] = function(c)
        if c:left() % 20 ~= 0 or c:left() == 0 then
            c:fail("not of 20 bytes each")
        end
        while not c.bad and c:left() > 0 do
            c:add("handle")
            usage(c, "usage32")
        end
    end,
}
-- Bodies of these may be longer than this version knows.
local open_ended = { [4] = true, [5] = true, [7] = true, [8] = true, [9] = true }

local function record(c, ordered, names)
    local head = c.tvb(c.at, math.min(3, c:left()))
    local tree = c.tree:add(tandem, head, "Record")
    local inner = cursor(c.tvb, c.at, c:left(), tree)
    local kind, length = inner:add("record.kind"), inner:add("record.length")

    if length == nil or inner:left() < length then
        inner:fail("the record passes the packet's end")
        c.bad = true
        return
    end
    tree:set_len(3 + length)
    tree:set_text(string.format("%s, %d bytes", kinds[kind] or ("record " .. kind), length))
    names[#names + 1] = kinds[kind] or tostring(kind)
    inner.stop = inner.at + length
    c.at = inner.stop
    if kinds[kind] == nil then
        tree:add_proto_expert_info(unknown, "a kind of a later version: skipped")
        inner:bytes("record.unknown", length)
        return
    end
    if (ordered_kinds[kind] or false) ~= ordered then
        inner:fail("a record that does not belong in such a packet")
        return
    end
    decode[kind](inner)
    if not inner.bad and inner:left() > 0 and not open_ended[kind] then
        inner:fail("bytes left over")
    end
end

-- ---- packets ----

local function header(c)
    local version = c:add("version")
    local flags = c:range(1, "flags")
    if flags == nil then
        return nil
    end
    c.tree:add(f["flags.phase"], flags, flags:uint() % 2)
    c.tree:add(f["flags.ordered"], flags, math.floor(flags:uint() / 2) % 2)
    local key = c:add("key")
    local number = c:range(8, "number")
    if number == nil then
        return nil
    end
    c.tree:add(f["number"], number)
    c:add("sender receiver")
    c:term("term")
    c:add("stream")
    local offset = c:add("offset")
    c:add("sent")
    if c.bad then
        return nil
    end
    number = number:uint64()
    if number == UInt64.new(0) or (offset ~= 4294967295 and UInt64.new(offset) >= number) then
        c:fail("a number that cannot be")
    end
    return version, math.floor(flags:uint() / 2) % 2 == 1, key
end

function tandem.dissector(tvb, pinfo, root)
    local tree = root:add(tandem, tvb())
    local c = cursor(tvb, 0, tvb:len(), tree)
    local version, ordered, key = header(c)
    local names = {}

    pinfo.cols.protocol = "Tandem"
    if version == nil then
        return tvb:len()
    end
    if version ~= 1 then
        tree:add_proto_expert_info(unknown, "records of a later version: what is new in it is not known here")
    end
    if key ~= 0 then
        local n = c:left() - 16
        if n < 0 then
            c:fail("no room for the tag")
        else
            c:bytes("encrypted", n)
            c:bytes("tag", 16)
        end
        pinfo.cols.info = "encrypted"
        return tvb:len()
    end
    while not c.bad and c:left() > 0 do
        record(c, ordered, names)
    end
    pinfo.cols.info = table.concat(names, " ")
    return tvb:len()
end

-- ---- the SRP connection ----

local function text(c)
    local n = c:range(1, "text")
    if n ~= nil and n:uint() > 0 then
        c:bytes("srp.text", n:uint())
    end
end

local messages = {
    function(c)
        body_of_srp(c)
        c:add("srp.capacity srp.config_digest")
        text(c)
        if not c.bad and c:left() > 0 then
            c:add("srp.version_min srp.version_max srp.mtu")
        end
        if not c.bad and c:left() > 0 then
            c:add("srp.hello_flags")
        end
        if not c.bad and c:left() > 0 then
            c:add("srp.monitors_known srp.monitors_failed")
        end
        if not c.bad and c:left() > 0 then
            c:add("srp.next_digest srp.next_number srp.promise")
        end
        c:bytes("srp.more", c.bad and 0 or c:left())
    end,
    function(c) c:add("srp.id") end,
    function(c) c:add("srp.id") end,
    function(c)
        c:term("srp.offered")
        c:add("srp.number srp.to srp.cause srp.flags")
    end,
    function(c)
        c:term("srp.offered")
        text(c)
    end,
    function(c)
        c:term("srp.offered")
        c:add("srp.route_modifier")
    end,
    function(c) c:add("srp.flags") end,
    function(c) c:add("srp.config_digest srp.offset") end,
    function(c)
        c:add("srp.config_digest srp.offset srp.total")
        c:bytes("srp.lines", c:add("srp.piece_length") or 0)
    end,
    function(c) c:add("srp.numbers_digest srp.offset") end,
    function(c)
        c:add("srp.numbers_digest srp.offset srp.total")
        c:bytes("srp.numbers", c:add("srp.piece_length") or 0)
    end,
}

local function message(tvb, pinfo, root)
    local tree = root:add(srp, tvb())
    local c = cursor(tvb, 0, tvb:len(), tree)

    c:add("srp.length")
    local version, kind = c:add("srp.version"), c:add("srp.type")
    c:add("srp.incarnation")
    c:term("srp.term")
    pinfo.cols.protocol = "Tandem SRP"
    pinfo.cols.info = types[kind] or "?"
    if version ~= 1 or messages[kind] == nil then
        c:fail("no such version or type")
    end
    if not c.bad then
        messages[kind](c)
    end
    if not c.bad and c:left() > 0 then
        c:fail("bytes left over")
    end
    return tvb:len()
end

function srp.dissector(tvb, pinfo, root)
    dissect_tcp_pdus(tvb, root, 2, function(t, _, at) return 2 + t(at, 2):uint() end, message)
    return tvb:len()
end

local function register(proto, transport)
    local table_of, at = DissectorTable.get(transport), nil
    function proto.init()
        if at ~= nil then
            table_of:remove(at, proto)
        end
        at = proto.prefs.port
        table_of:add(at, proto)
    end
end
register(tandem, "udp.port")
register(srp, "tcp.port")
