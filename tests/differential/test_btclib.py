"""btclib writes and reads what we write and read."""

from ipaddress import IPv6Address

import pytest
from btclib import p2p
from hypothesis import given

from tests.differential.values import VALUES

# btclib holds hashes as people read them, and puts them into wire order when it writes.


def shown(wire_hash):
    return wire_hash[::-1]


def shown_all(wire_hashes):
    return tuple(map(shown, wire_hashes))


def net_address(ours):
    return p2p.NetworkAddress(ours.services, IPv6Address(ours.ip), ours.port)


def addr(ours):
    return p2p.Addr(
        [p2p.TimestampedNetworkAddress(item.time, net_address(item)) for item in ours.addresses]
    )


def inventory(kind):
    return lambda ours: kind([p2p.Inventory(item.kind, shown(item.hash)) for item in ours.items])


def locator(kind):
    return lambda ours: kind(ours.version, shown_all(ours.locator), shown(ours.stop))


def filter_range(kind):
    return lambda ours: kind(ours.filter_type, ours.start_height, shown(ours.stop_hash))


def version(ours):
    return p2p.Version(
        ours.version,
        ours.services,
        ours.time,
        net_address(ours.receiver),
        net_address(ours.sender),
        ours.nonce,
        ours.user_agent,
        ours.height,
        ours.relay,
    )


def addrv2(ours):
    return p2p.AddrV2(
        [
            p2p.NetworkAddressV2(item.time, item.services, item.network, item.address, item.port)
            for item in ours.addresses
        ]
    )


TRANSLATIONS = {
    "version": version,
    "verack": lambda _: p2p.Verack(),
    "wtxidrelay": lambda _: p2p.WtxidRelay(),
    "sendaddrv2": lambda _: p2p.SendAddrV2(),
    "sendheaders": lambda _: p2p.SendHeaders(),
    "getaddr": lambda _: p2p.GetAddr(),
    "mempool": lambda _: p2p.Mempool(),
    "addr": addr,
    "addrv2": addrv2,
    "feefilter": lambda ours: p2p.FeeFilter(ours.fee_rate),
    "ping": lambda ours: p2p.Ping(ours.nonce),
    "pong": lambda ours: p2p.Pong(ours.nonce),
    "reject": lambda ours: p2p.Reject(
        ours.message.decode(), ours.code, ours.reason.decode(), shown(ours.extra)
    ),
    "getcfilters": filter_range(p2p.GetCFilters),
    "getcfheaders": filter_range(p2p.GetCFHeaders),
    "getcfcheckpt": lambda ours: p2p.GetCFCheckpt(ours.filter_type, shown(ours.stop_hash)),
    "cfilter": lambda ours: p2p.CFilter(ours.filter_type, shown(ours.block_hash), ours.filter),
    "cfheaders": lambda ours: p2p.CFHeaders(
        ours.filter_type,
        shown(ours.stop_hash),
        shown(ours.previous_header),
        shown_all(ours.filter_hashes),
    ),
    "cfcheckpt": lambda ours: p2p.CFCheckpt(
        ours.filter_type, shown(ours.stop_hash), shown_all(ours.filter_headers)
    ),
    "inv": inventory(p2p.Inv),
    "getdata": inventory(p2p.GetData),
    "notfound": inventory(p2p.NotFound),
    "getblocks": locator(p2p.GetBlocks),
    "getheaders": locator(p2p.GetHeaders),
}


# `given` stands inside, because pytest-twisted cannot run it together with `parametrize`.


@pytest.mark.parametrize("command", TRANSLATIONS)
def test_both_write_the_same_bytes_and_read_the_same_values(command):
    @given(VALUES[command])
    def agree(ours):
        theirs = TRANSLATIONS[command](ours)
        wire = theirs.serialize()
        assert ours.encode() == wire
        assert type(ours).decode(wire) == ours
        assert type(theirs).parse(ours.encode()) == theirs
        assert type(ours).command == type(theirs).command == command

    agree()
