"""Strategies for transactions and blocks."""

from hypothesis import strategies as st

from bitpeer.decred.transaction import Serialization, Tx, TxIn, TxOut, TxWitness

hashes = st.binary(min_size=32, max_size=32)
uint32 = st.integers(0, 0xFFFF_FFFF)
int64 = st.integers(-(1 << 63), (1 << 63) - 1)
scripts = st.one_of(st.binary(max_size=40), st.integers(250, 260).map(bytes))
inputs = st.builds(TxIn, hashes, uint32, st.integers(-128, 127), uint32)
outputs = st.builds(TxOut, int64, scripts, st.integers(0, 0xFFFF))
witnesses = st.builds(TxWitness, scripts, int64, uint32, uint32)


@st.composite
def transactions(draw, kinds=tuple(Serialization)):
    count = draw(st.integers(0, 3))
    return Tx(
        draw(st.lists(inputs, min_size=count, max_size=count)),
        draw(st.lists(outputs, max_size=3)),
        draw(st.lists(witnesses, min_size=count, max_size=count)),
        version=draw(st.integers(0, 0xFFFF)),
        lock_time=draw(uint32),
        expiry=draw(uint32),
        serialization=draw(st.sampled_from(kinds)),
    )
