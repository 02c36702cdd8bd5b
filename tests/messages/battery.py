"""What is true of every message, given one and its bytes."""

import pytest

from bitpeer.errors import TrailingBytes, Truncated
from bitpeer.wire.message import Message


def has_exactly(value: Message, text: str) -> None:
    """Check that *value* is written and read as the hexadecimal *text*."""
    raw = bytes.fromhex(text)
    assert value.encode() == raw
    assert type(value).decode(raw) == value
    assert type(value).read(b"<" + raw, 1) == (value, 1 + len(raw))
    assert type(value).min_size <= len(raw) <= type(value).max_size


def refuses_every_truncation(value: Message, text: str, *, complete: tuple[int, ...] = ()) -> None:
    """Check that no beginning of *text* is a message, unless it is *complete* at that size."""
    raw = bytes.fromhex(text)
    for size in set(range(len(raw))) - set(complete):
        with pytest.raises(Truncated):
            type(value).decode(raw[:size])


def refuses_trailing_bytes(value: Message, text: str) -> None:
    """Check that nothing may follow *text* (R-B3)."""
    for more in (b"\0", b"!", bytes(40)):
        with pytest.raises(TrailingBytes) as caught:
            type(value).decode(bytes.fromhex(text) + more)
        assert caught.value.count == len(more)
