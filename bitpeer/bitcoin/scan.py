"""Where transactions begin and end: the whole check of their structure, without decoding them.

Theory of operation.  A transaction is a chain of sizes with ballast between them,
and the scan hops from size to size.  Inputs and outputs have ballast before their
size too (36 bytes of outpoint, 8 of value), so while the scan is among them *pos*
points at the size itself.  The tables `_INPUT`, `_OUTPUT` and `_ITEM` say how far
the next size is, ballast and script and all, by the first byte of this one; they
say 0 for the three bytes that announce a longer size, and `_long_hop` is asked.

Nothing is allocated for what a count claims, and every hop goes forward: whatever
is claimed, the scan ends where the data end.  Looking beyond them is an
`IndexError`, so the loops compare nothing with the end.

The same walk is written twice.  A call for each transaction would cost a block a
tenth of its time; a list and a loop around one would cost a lone transaction
more than that.  Both are plain enough for mypyc, which makes them ten times as
fast.
"""

from __future__ import annotations

from typing import Final

from bitpeer.errors import InvalidValue, NonCanonical, TrailingBytes, Truncated
from bitpeer.wire.compactsize import read_compact_size

_LONG: Final = 0xFD
"""Sizes below this one are a byte by themselves."""

_INPUT: Final[tuple[int, ...]] = (*range(41, 41 + _LONG), 0, 0, 0)
_OUTPUT: Final[tuple[int, ...]] = (*range(9, 9 + _LONG), 0, 0, 0)
_ITEM: Final[tuple[int, ...]] = (*range(1, 1 + _LONG), 0, 0, 0)


def scan_payload(data: bytes) -> int:  # noqa: PLR0912  # calls cost too much here
    """Check that *data* are exactly one well-formed transaction (BIP 144).

    Returns:
        Where its witnesses begin; where its lock time begins, if it has none.

    Raises:
        Truncated: the data end before the transaction does.
        TrailingBytes: they go on behind it.
        NonCanonical: a size is not written in its shortest form.
        InvalidValue: the flag is unknown, or promises witnesses where there are none.
    """
    stacks = 0
    try:
        left = data[4]
        if left:
            pos = 41
        elif data[5] == 1:
            stacks = left = data[6] or _superfluous()
            pos = 43
        else:
            return _exactly(data, _unmarked(data, 0)) - 4
        if left >= _LONG:
            left, pos = long_size(data, pos - 37)
            pos += 36
            stacks = stacks and left
        while left:
            pos += _INPUT[data[pos]] or _long_hop(data, pos, 40)
            left -= 1
        left = data[pos - 36]
        if left < _LONG:
            pos -= 27
        else:
            left, pos = long_size(data, pos - 36)
            pos += 8
        while left:
            pos += _OUTPUT[data[pos]] or _long_hop(data, pos, 8)
            left -= 1
        pos -= 8
        body = pos
        if stacks:
            empty = pos + stacks
            while stacks:
                left = data[pos]
                if left < _LONG:
                    pos += 1
                else:
                    left, pos = long_size(data, pos)
                while left:
                    pos += _ITEM[data[pos]] or _long_hop(data, pos, 0)
                    left -= 1
                stacks -= 1
            if pos == empty:
                _superfluous()
    except IndexError:
        raise Truncated(len(data) + 1, len(data)) from None
    if pos + 4 != len(data):
        _exactly(data, pos + 4)
    return body


def scan_transactions(data: bytes, pos: int, count: int) -> list[int]:  # noqa: PLR0912, PLR0915
    """Check the structure of *count* transactions, the first of them at *pos*.

    Returns:
        The position of each, and the position after the last.

    Raises:
        DecodeError: as `scan_payload`, but for `TrailingBytes`.
    """
    start = pos
    cuts = [pos]
    cut = cuts.append
    inputs, outputs, items = _INPUT, _OUTPUT, _ITEM
    try:
        while count:
            count -= 1
            left, stacks = data[pos + 4], 0
            if left:
                pos += 41
            elif data[pos + 5] == 1:
                stacks = left = data[pos + 6] or _superfluous()
                pos += 43
            else:
                pos = _unmarked(data, pos)
                cut(pos)
                continue
            if left >= _LONG:
                left, pos = long_size(data, pos - 37)
                pos += 36
                stacks = stacks and left
            while left:
                pos += inputs[data[pos]] or _long_hop(data, pos, 40)
                left -= 1
            left = data[pos - 36]
            if left < _LONG:
                pos -= 27
            else:
                left, pos = long_size(data, pos - 36)
                pos += 8
            while left:
                pos += outputs[data[pos]] or _long_hop(data, pos, 8)
                left -= 1
            if stacks:
                pos -= 8
                empty = pos + stacks
                while stacks:
                    left = data[pos]
                    if left == 2:  # a signature and a key, most often: worth no loop
                        pos += 1
                        pos += items[data[pos]] or _long_hop(data, pos, 0)
                        pos += items[data[pos]] or _long_hop(data, pos, 0)
                        left = 0
                    elif left < _LONG:
                        pos += 1
                    else:
                        left, pos = long_size(data, pos)
                    while left:
                        pos += items[data[pos]] or _long_hop(data, pos, 0)
                        left -= 1
                    stacks -= 1
                if pos == empty:
                    _superfluous()
                pos += 4
            else:
                pos -= 4
            cut(pos)
    except IndexError:
        raise Truncated(len(data) - start + 1, len(data) - start) from None
    if pos > len(data):
        raise Truncated(pos - start, len(data) - start)
    return cuts


def long_size(data: bytes, pos: int) -> tuple[int, int]:
    """Return the size at *pos*, which takes more than one byte, and the position after it."""
    if data[pos] == _LONG:
        value = data[pos + 1] | data[pos + 2] << 8
        if value < _LONG:
            raise NonCanonical(value)
        return value, pos + 3
    return read_compact_size(data, pos)


def _long_hop(data: bytes, pos: int, ballast: int) -> int:
    """Return how far it is from the long size at *pos* over its script and *ballast*."""
    size, after = long_size(data, pos)
    return after - pos + size + ballast


def _unmarked(data: bytes, pos: int) -> int:
    """Return the end of a transaction with no input, and no marker of witnesses instead.

    Only the one that has no output either can be told from a marker, so only
    that one exists: the reference node does the same.
    """
    flag = data[pos + 5]
    if flag:
        raise InvalidValue("flag", flag)
    return pos + 10


def _superfluous() -> int:
    raise InvalidValue("witnesses", "announced and empty")


def _exactly(data: bytes, end: int) -> int:
    """Return *end* if the data end there."""
    if end > len(data):
        raise Truncated(end, len(data))
    if end < len(data):
        raise TrailingBytes(len(data) - end)
    return end
