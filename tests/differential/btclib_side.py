"""What btclib makes of our values.

It holds hashes as people read them, and puts them into wire order when it writes.
"""

from datetime import UTC, datetime

from btclib.block.block_header import BlockHeader
from btclib.exceptions import BTClibException
from btclib.script.witness import Witness
from btclib.tx.out_point import OutPoint
from btclib.tx.tx import Tx
from btclib.tx.tx_in import TxIn
from btclib.tx.tx_out import TxOut
from hypothesis import strategies as st

from bitpeer.errors import DecodeError


def shown(wire_hash):
    return wire_hash[::-1]


def shown_all(wire_hashes):
    return tuple(map(shown, wire_hashes))


def transaction(ours):
    inputs = [
        TxIn(
            OutPoint(shown(each.previous_hash), each.previous_index),
            each.script,
            each.sequence,
            Witness(stack),
            check_validity=False,
        )
        for each, stack in zip(ours.inputs, ours.witnesses, strict=True)
    ]
    outputs = [TxOut(each.value, each.script) for each in ours.outputs]
    return Tx(ours.version, ours.lock_time, inputs, outputs, check_validity=False)


def transactions(ours):
    return [transaction(each) for each in ours]


def header(ours):
    return BlockHeader(
        ours.version,
        shown(ours.previous_hash),
        shown(ours.merkle_root),
        datetime.fromtimestamp(ours.time, UTC),
        ours.bits.to_bytes(4, "big"),
        ours.nonce,
        check_validity=False,
    )


def damaged(wires):
    """Wire forms with a few bytes changed, cut off or put behind."""

    def damage(wire, edits, growth):
        changed = bytearray(wire)
        for at, byte in edits:
            if changed:
                changed[at % len(changed)] = byte
        return bytes(changed[:growth] if growth < 0 else changed + bytes(growth))

    at = st.integers(0, 8) | st.integers(0, 400)
    edits = st.lists(st.tuples(at, st.integers(0, 255)), max_size=2)
    return st.builds(damage, wires, edits, st.integers(-3, 3))


def outcome(read, wire):
    """What reading and writing makes of *wire*; `None` if it is refused."""
    try:
        return read(wire)
    except (DecodeError, BTClibException):
        return None
