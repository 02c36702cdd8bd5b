"""Random values of every kind that a message is made of."""

from hypothesis import strategies as st

from bitpeer.messages.addresses import Addr, NetAddress, TimedNetAddress
from bitpeer.messages.control import Alert, FeeFilter, Ping, Pong, Reject
from bitpeer.messages.filters import (
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders


def uint(bits):
    return st.integers(0, 2**bits - 1)


def sint(bits):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def few(items, most=6):
    """A short sequence: what a long one could show, the tests of the limits show."""
    return st.lists(items, max_size=most).map(tuple)


HASH = st.binary(min_size=32, max_size=32)
IP = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=4, max_size=4).map(lambda ipv4: bytes(10) + b"\xff\xff" + ipv4),
)
NET_ADDRESS = st.builds(NetAddress, uint(64), IP, uint(16))
TIMED_ADDRESS = st.builds(TimedNetAddress, uint(32), uint(64), IP, uint(16))
INVENTORY = few(st.builds(InvVect, uint(32), HASH))
LOCATOR = few(HASH)
UTF8 = st.text(max_size=3).map(str.encode)

SHARED = {
    kind.command: values
    for kind, values in {
        Addr: st.builds(Addr, few(TIMED_ADDRESS)),
        Alert: st.builds(Alert, st.binary(max_size=300), st.binary(max_size=80)),
        FeeFilter: st.builds(FeeFilter, sint(64)),
        Ping: st.builds(Ping, uint(64)),
        Pong: st.builds(Pong, uint(64)),
        Reject: st.builds(Reject, UTF8, uint(8), UTF8, st.just(b"") | HASH),
        GetCFilters: st.builds(GetCFilters, uint(8), uint(32), HASH),
        GetCFHeaders: st.builds(GetCFHeaders, uint(8), uint(32), HASH),
        GetCFCheckpt: st.builds(GetCFCheckpt, uint(8), HASH),
        CFilter: st.builds(CFilter, uint(8), HASH, st.binary(max_size=300)),
        CFHeaders: st.builds(CFHeaders, uint(8), HASH, HASH, few(HASH)),
        CFCheckpt: st.builds(CFCheckpt, uint(8), HASH, few(HASH)),
        Inv: st.builds(Inv, INVENTORY),
        GetData: st.builds(GetData, INVENTORY),
        NotFound: st.builds(NotFound, INVENTORY),
        GetBlocks: st.builds(GetBlocks, uint(31), LOCATOR, HASH),
        GetHeaders: st.builds(GetHeaders, uint(31), LOCATOR, HASH),
    }.items()
}
"""By command, values of the messages that several networks share."""
