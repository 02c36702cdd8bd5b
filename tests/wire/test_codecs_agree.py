"""The compiled codec against the slow one, for everything that is declared anywhere."""

import pytest
from hypothesis import given, settings, strategies as st

from bitpeer.errors import DecodeError, Unencodable
from bitpeer.wire.message import Record
from tests.wire import slow_codec
from tests.wire.declared import UNDERSTOOD
from tests.wire.invented import longest, optional, shortest, values

examples = settings(max_examples=50)
kinds = pytest.mark.parametrize("kind", UNDERSTOOD, ids=lambda kind: kind.__name__)


def damage(data: st.DataObject, raw: bytes) -> bytes:
    """Return *raw* with something replaced, left out or put in."""
    start = data.draw(st.integers(0, len(raw)), "start")
    stop = data.draw(st.integers(start, min(len(raw), start + 9)), "stop")
    return raw[:start] + data.draw(st.binary(max_size=9), "instead") + raw[stop:]


def decoded(kind: type[Record], payload: bytes) -> Record | None:
    """Return what the compiled codec makes of *payload*; `None` if it refuses."""
    try:
        value, end = kind.read(payload)
    except DecodeError:
        return None
    return value if end == len(payload) else None


def slowly_decoded(kind: type[Record], payload: bytes) -> Record | None:
    """Return what the slow codec makes of *payload*; `None` if it refuses."""
    try:
        return slow_codec.decode(kind, payload)
    except slow_codec.Refused:
        return None


def test_all_shared_messages_are_compared():
    names = {kind.__name__ for kind in UNDERSTOOD if kind.__module__.startswith("bitpeer.messages")}
    assert names == {
        "Addr", "Alert", "CFCheckpt", "CFHeaders", "CFilter", "FeeFilter", "FilterAdd",
        "FilterClear", "FilterLoad", "GetAddr", "GetBlocks", "GetCFCheckpt", "GetCFHeaders",
        "GetCFilters", "GetData", "GetHeaders", "Inv", "MemPool", "NetAddress", "NotFound", "Ping",
        "Pong", "Reject", "SendHeaders", "VerAck",
    }  # fmt: skip


@kinds
@examples
@given(st.data())
def test_both_write_the_same(kind, data):
    value = data.draw(values(kind))
    raw = slow_codec.encode(value)
    assert value.encode() == raw
    assert decoded(kind, raw) == slowly_decoded(kind, raw) == value


@kinds
@examples
@given(st.data())
def test_both_refuse_to_write_the_same(kind, data):
    value = data.draw(values(kind, wild=True))
    try:
        raw = slow_codec.encode(value)
    except slow_codec.Refused:
        with pytest.raises(Unencodable):
            value.encode()
    else:
        assert value.encode() == raw


@kinds
@examples
@given(st.data())
def test_both_read_the_same_and_refuse_the_same(kind, data):
    raw = damage(data, data.draw(values(kind)).encode())
    value = decoded(kind, raw)
    assert value == slowly_decoded(kind, raw)
    if value is not None:
        assert kind.decode(raw) == value
        assert decoded(kind, value.encode()) == value


@kinds
def test_both_know_the_extremes(kind):
    least, most = shortest(kind), longest(kind)
    raw = slow_codec.encode(most)
    assert most.encode() == raw
    assert len(raw) == kind.max_size
    if not optional(kind):
        assert len(least.encode()) == kind.min_size
    assert slowly_decoded(kind, least.encode()[: kind.min_size]) is not None
    assert decoded(kind, least.encode()[: kind.min_size]) is not None
    assert decoded(kind, least.encode()[: kind.min_size - 1] if kind.min_size else b"?") is None
