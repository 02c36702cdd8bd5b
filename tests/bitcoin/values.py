"""Random transactions and blocks, and a slow reader that knows none of the shortcuts."""

from io import BytesIO

from hypothesis import strategies as st

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.transaction import Tx, TxIn, TxOut


def uint(bits):
    return st.integers(0, (1 << bits) - 1)


HASH = st.binary(min_size=32, max_size=32)
# Lengths beside the edges where a size takes another byte.
SCRIPT = st.binary(max_size=60) | st.sampled_from([252, 253, 254, 256, 600]).map(bytes)
TX_IN = st.builds(TxIn, HASH, uint(32), SCRIPT, uint(32))
TX_OUT = st.builds(TxOut, st.integers(-(1 << 63), (1 << 63) - 1), SCRIPT)
STACK = st.lists(SCRIPT, max_size=4).map(tuple)


@st.composite
def transactions(draw):
    inputs = draw(st.lists(TX_IN, min_size=1, max_size=4))
    outputs = draw(st.lists(TX_OUT, max_size=4))
    count = draw(st.sampled_from([0, len(inputs)]))
    witnesses = draw(st.lists(STACK, min_size=count, max_size=count))
    return Tx(inputs, outputs, witnesses, version=draw(uint(32)), lock_time=draw(uint(32)))


HEADER = st.builds(
    BlockHeader, st.integers(-(1 << 31), (1 << 31) - 1), HASH, HASH, uint(32), uint(32), uint(32)
)


def coinbase(*outputs, witness=()):
    """Return a coinbase that pays *outputs*, and has *witness* if it is not empty."""
    spends_nothing = TxIn(bytes(32), 0xFFFFFFFF, b"\x51\x51")
    return Tx([spends_nothing], outputs or [TxOut(50, b"\x51")], [witness] if witness else [])


class Malformed(Exception):
    """What the slow reader says of anything it does not like."""


def slow_read(data):
    """Return version, inputs, outputs, witnesses and lock time of the transaction in *data*.

    Written from the table in BIP 144, one byte string after the other.
    """
    stream = BytesIO(data)

    def take(count):
        taken = stream.read(count) if count <= len(data) else b""
        if len(taken) != count:
            raise Malformed
        return taken

    def number(size):
        return int.from_bytes(take(size), "little")

    def size():
        first = number(1)
        if first < 253:
            return first
        value, least = {
            253: lambda: (number(2), 253),
            254: lambda: (number(4), 1 << 16),
            255: lambda: (number(8), 1 << 32),
        }[first]()
        if value < least:
            raise Malformed
        return value

    def items(read):
        left, found = size(), []
        while left:
            found.append(read())
            left -= 1
        return tuple(found)

    def text():
        return take(size())

    def tx_in():
        return take(32), number(4), text(), number(4)

    def tx_out():
        return int.from_bytes(take(8), "little", signed=True), text()

    version = number(4)
    inputs, outputs = items(tx_in), ()
    witnesses = ((),) * len(inputs)
    flag = 0
    if not inputs:
        flag = number(1)
        if flag:
            inputs, outputs = items(tx_in), items(tx_out)
    else:
        outputs = items(tx_out)
    if flag:
        witnesses = tuple(items(text) for _ in inputs)
        if flag != 1 or not any(witnesses):
            raise Malformed
    lock_time = number(4)
    if stream.read(1):
        raise Malformed
    return version, inputs, outputs, witnesses, lock_time
