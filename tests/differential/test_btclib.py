"""btclib writes and reads what we write and read."""

from ipaddress import IPv6Address

import pytest
from btclib import p2p
from hypothesis import given, strategies as st

from tests.differential.btclib_side import damaged, outcome, shown, shown_all
from tests.differential.values import KINDS, VALUES


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
    "feature": lambda ours: p2p.Feature(ours.id, ours.data),
    "sendtxrcncl": lambda ours: p2p.SendTxRcncl(ours.version, ours.salt),
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


theirs_of = {
    kind.command: kind
    for kind in vars(p2p).values()
    if isinstance(kind, type) and issubclass(kind, p2p.Payload) and kind is not p2p.Payload
}


LENIENT = {"version", "reject"}
"""Here we keep what a newer version may put behind, and text that is not UTF-8; they do not."""
CHOOSY = {"addrv2"}
"""Here we pass over entries of networks that nobody knows, as Core does; they keep them."""


@pytest.mark.parametrize("command", TRANSLATIONS)
@given(data=st.data())
def test_both_refuse_the_same_damage_and_read_the_same_out_of_the_rest(command, data):
    kind = KINDS[command]
    wire = data.draw(damaged(VALUES[command].map(kind.encode)))
    ours = outcome(lambda wire: kind.decode(wire).encode(), wire)
    theirs = outcome(lambda wire: theirs_of[command].parse(wire).serialize(), wire)
    if command in LENIENT:
        assert ours is not None or theirs is None
    elif command in CHOOSY and ours is not None and theirs is not None:
        assert ours == theirs or len(ours) < len(theirs)
    else:
        assert ours == theirs
