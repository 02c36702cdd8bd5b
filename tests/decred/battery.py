"""What is asked of every message of Decred: exact bytes, both directions, and no others."""

from bitpeer.errors import DecodeError
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes


def is_exactly(value, raw, *, complete=()):
    """Check that *value* is written as *raw* and read from it, and from nothing that is near."""
    text = raw.hex() if isinstance(raw, bytes) else raw
    has_exactly(value, text)
    refuses_every_truncation(value, text, complete=complete)
    refuses_trailing_bytes(value, text)


def survives(kind, noise):
    """Check that *noise* is refused, or means something that can be written and read again."""
    try:
        value = kind.decode(noise)
    except DecodeError:
        return
    assert kind.decode(value.encode()) == value
