import pytest

from bitpeer.errors import LimitExceeded, Unencodable
from bitpeer.messages.filters import (
    BASIC_FILTER,
    CHECKPOINT_INTERVAL,
    MAX_CFHEADERS,
    MAX_CFILTERS,
    MAX_CHECKPOINTS,
    MAX_FILTER_BYTES,
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.wire.compactsize import write_compact_size
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

A, B, C = (bytes([byte]) * 32 for byte in b"\x0a\x0b\x0c")

examples = pytest.mark.parametrize(
    ("value", "text"),
    [
        (GetCFilters(0, 1000, A), "00e8030000" + "0a" * 32),
        (GetCFHeaders(255, 2**32 - 1, B), "ffffffffff" + "0b" * 32),
        (GetCFCheckpt(0, C), "00" + "0c" * 32),
        (CFilter(0, A, b"\x01\x9d\xfc\xa8"), "00" + "0a" * 32 + "04019dfca8"),
        (CFilter(0, A, b""), "00" + "0a" * 32 + "00"),
        (CFHeaders(0, A, B, (C, A)), "00" + "0a" * 32 + "0b" * 32 + "02" + "0c" * 32 + "0a" * 32),
        (CFHeaders(0, A, B, ()), "00" + "0a" * 32 + "0b" * 32 + "00"),
        (CFCheckpt(0, A, (B,)), "00" + "0a" * 32 + "01" + "0b" * 32),
        (CFCheckpt(0, A, ()), "00" + "0a" * 32 + "00"),
    ],
    ids=[
        "getcfilters", "getcfheaders", "getcfcheckpt", "cfilter", "empty cfilter", "cfheaders",
        "empty cfheaders", "cfcheckpt", "empty cfcheckpt",
    ],
)  # fmt: skip


@examples
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    refuses_every_truncation(value, text)


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


def test_each_message_has_its_command():
    kinds = (GetCFilters, CFilter, GetCFHeaders, CFHeaders, GetCFCheckpt, CFCheckpt)
    commands = "getcfilters cfilter getcfheaders cfheaders getcfcheckpt cfcheckpt"
    assert [kind.command for kind in kinds] == commands.split()


@pytest.mark.parametrize(
    ("kind", "head", "limit", "size"),
    [
        (CFilter, 33, MAX_FILTER_BYTES, 1),
        (CFHeaders, 65, MAX_CFHEADERS, 32),
        (CFCheckpt, 33, MAX_CHECKPOINTS, 32),
    ],
)
def test_each_list_has_a_limit(kind, head, limit, size):
    raw = bytes(head) + write_compact_size(limit) + bytes(limit * size)
    assert kind.decode(raw).encode() == raw
    assert len(raw) == kind.max_size
    with pytest.raises(LimitExceeded) as caught:
        kind.decode(bytes(head) + write_compact_size(limit + 1) + bytes((limit + 1) * size))
    assert (caught.value.count, caught.value.limit) == (limit + 1, limit)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (CFilter(0, A, bytes(MAX_FILTER_BYTES + 1)), r"CFilter\.filter"),
        (CFHeaders(0, A, B, (C,) * (MAX_CFHEADERS + 1)), r"CFHeaders\.filter_hashes"),
        (CFCheckpt(0, A, (C,) * (MAX_CHECKPOINTS + 1)), r"CFCheckpt\.filter_headers"),
        (CFilter(256, A, b""), r"CFilter\.filter_type"),
        (GetCFilters(0, -1, A), r"GetCFilters\.start_height"),
        (GetCFHeaders(0, 0, A[1:]), r"GetCFHeaders\.stop_hash"),
        (CFHeaders(0, A, B + b"!", ()), r"CFHeaders\.previous_header"),
    ],
    ids=["filter", "hashes", "headers", "type", "height", "stop", "previous"],
)
def test_what_does_not_fit_cannot_be_encoded(value, name):
    with pytest.raises(Unencodable, match=name):
        value.encode()


def test_the_numbers_are_those_of_bip_157_and_158():
    assert (BASIC_FILTER, MAX_CFILTERS, MAX_CFHEADERS, CHECKPOINT_INTERVAL) == (0, 1000, 2000, 1000)
