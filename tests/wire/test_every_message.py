"""The rules that hold for whatever is declared, tried on everything that is."""

import tracemalloc
from collections.abc import Iterator

import pytest

from bitpeer.errors import (
    DecodeError,
    LimitExceeded,
    NonCanonical,
    Oversized,
    TrailingBytes,
    Truncated,
)
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.fields import Limit, Remainder
from bitpeer.wire.framing import Envelope, Framing
from bitpeer.wire.message import Message, Record, Registry, pad_command
from tests.toy import MAGIC, silly_checksum
from tests.wire.declared import MESSAGES, UNDERSTOOD
from tests.wire.invented import optional, shortest
from tests.wire.slow_codec import hints, marker_of, write

CAP = 4_000_000


def counts(kind: type[Record]) -> Iterator[tuple[bytes, int]]:
    """Yield, for each length-prefixed field of *kind*, what comes before it and its limit."""
    head = b""
    for name, hint in hints(kind).items():
        if limit := marker_of(hint, Limit):
            yield head, limit.count
        head += write(hint, getattr(shortest(kind), name))


COUNTS = [
    pytest.param(kind, head, limit, id=f"{kind.__name__}-{len(head)}")
    for kind in UNDERSTOOD
    for head, limit in counts(kind)
]

kinds = pytest.mark.parametrize("kind", UNDERSTOOD, ids=lambda kind: kind.__name__)
messages = pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
each_count = pytest.mark.parametrize(("kind", "head", "limit"), COUNTS)


def header(kind: type[Message], length: int) -> bytes:
    """Return the header of a message of *kind* that claims to have so many bytes."""
    return MAGIC + pad_command(kind.command) + length.to_bytes(4, "little") + bytes(4)


def refusal(kind: type[Record], payload: bytes) -> tuple[DecodeError, int]:
    """Return how *kind* refuses *payload*, and how many bytes that took."""
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError) as caught:
            kind.decode(payload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return caught.value, peak


@each_count
def test_r_a11_a_claimed_count_allocates_nothing(kind, head, limit):
    for claim in (limit, limit + 1, 2**31, 2**32, 2**64 - 1):
        error, peak = refusal(kind, head + write_compact_size(claim))
        assert isinstance(error, Truncated if claim == limit else LimitExceeded)
        assert peak < 65536


@each_count
def test_r_b2_an_absurd_length_makes_a_short_sentence(kind, head, limit):
    for claim in (0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 2**64 - 1):
        error, _ = refusal(kind, head + write_compact_size(claim) + b"\xff" * 10_000)
        assert (error.count, error.limit) == (claim, limit)
        assert len(str(error)) < 512
        assert len(repr(error)) < 512


@each_count
def test_r_b1_a_wasteful_count_is_refused(kind, head, limit):
    for text in ("fd0000", "fdfc00", "fe00000000", "fefc000000", "ff0000000000000000"):
        error, _ = refusal(kind, head + bytes.fromhex(text) + bytes(limit))
        assert isinstance(error, NonCanonical)


@kinds
def test_r_b3_one_byte_more_is_refused_or_kept(kind):
    raw = shortest(kind).encode()
    keeps = [name for name, hint in hints(kind).items() if marker_of(hint, Remainder)]
    if keeps:
        assert getattr(kind.decode(raw + b"!"), keeps[0]) == b"!"
        assert kind.decode(raw + b"!").encode() == raw + b"!"
    else:
        with pytest.raises(TrailingBytes):
            kind.decode(raw + b"!")


@kinds
def test_r_b11_empty_lists_are_lists(kind):
    empty = shortest(kind)
    assert kind.decode(empty.encode()) == empty
    assert hash(kind.decode(empty.encode())) == hash(empty)
    assert "packed:" not in repr(empty)


@kinds
def test_every_truncation_of_the_shortest_is_refused(kind):
    raw = shortest(kind).encode()
    for size in range(len(raw) if not optional(kind) else kind.min_size):
        with pytest.raises(Truncated):
            kind.decode(raw[:size])


@messages
def test_r_a1_a_lying_header_allocates_nothing(kind):
    envelope = Envelope(MAGIC, silly_checksum, Registry((kind,)), CAP)
    cap = min(kind.max_size, CAP)
    for length in (cap + 1, 2**31 - 1, 2**32 - 1):
        framing = Framing(envelope, CAP)
        tracemalloc.start()
        with pytest.raises(Oversized) as caught:
            list(framing.feed(header(kind, length)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (caught.value.length, caught.value.limit) == (length, cap)
        assert peak < 262_144


@messages
def test_r_a1_an_honest_header_allocates_nothing_either(kind):
    framing = Framing(Envelope(MAGIC, silly_checksum, Registry((kind,)), CAP), CAP)
    cap = min(kind.max_size, CAP)
    tracemalloc.start()
    frames = list(framing.feed(header(kind, cap)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frames) == (cap == 0)
    assert peak < 262_144


@messages
def test_every_message_knows_how_small_and_large_it_can_be(kind):
    assert issubclass(kind, Message)
    assert 0 <= kind.min_size <= kind.max_size
