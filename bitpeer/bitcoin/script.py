"""As much of the script language as a peer needs: what scripts push, and who is paid by key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

OP_PUSHDATA1 = 0x4C
OP_PUSHDATA4 = 0x4E
OP_1 = 0x51
OP_16 = 0x60
OP_RETURN = 0x6A
OP_CHECKSIG = 0xAC
OP_CHECKMULTISIG = 0xAE

MAX_MULTISIG_KEYS = 20

_LENGTH_SIZES = {OP_PUSHDATA1: 1, 0x4D: 2, OP_PUSHDATA4: 4}
"""Opcode: bytes of the length that follows it."""
_KEY_SIZES = {0x02: 33, 0x03: 33, 0x04: 65, 0x06: 65, 0x07: 65}
"""First byte of a public key: bytes it has in all."""


class Operation(NamedTuple):
    """One step of a script."""

    opcode: int
    data: bytes
    """What it pushes, if it is a push of bytes; empty for all other steps."""
    end: int
    """Position of the next step."""


def operations(script: bytes) -> Iterator[Operation]:
    """Yield the steps of *script*, up to a push that claims more bytes than there are."""
    pos, size = 0, len(script)
    while pos < size:
        opcode = script[pos]
        pos += 1
        length = opcode
        if opcode >= OP_PUSHDATA1:
            width = _LENGTH_SIZES.get(opcode, 0)
            length = int.from_bytes(script[pos : pos + width], "little")
            pos += width
        end = pos + length
        if end > size:
            return
        yield Operation(opcode, script[pos:end], end)
        pos = end


def pushes(script: bytes) -> Iterator[bytes]:
    """Yield the byte strings that *script* pushes, but none that is empty."""
    for step in operations(script):
        if step.data:
            yield step.data


def pays_to_key(script: bytes) -> bool:
    """Whether *script* is a public key and OP_CHECKSIG (P2PK)."""
    return (
        len(script) in (35, 67)
        and script[0] == len(script) - 2
        and is_key(script[1:-1])
        and script[-1] == OP_CHECKSIG
    )


def pays_to_multisig(script: bytes) -> bool:
    """Whether *script* is a bare multisignature: m, then n public keys, n, OP_CHECKMULTISIG."""
    if script[-1:] != bytes((OP_CHECKMULTISIG,)):
        return False
    steps = list(islice(operations(script), MAX_MULTISIG_KEYS + 3))
    if len(steps) < 4 or steps[-1].end != len(script) or steps[-1].data:
        return False
    required, keys, count = _small_number(steps[0]), steps[1:-2], _small_number(steps[-2])
    return (
        1 <= required <= count <= MAX_MULTISIG_KEYS
        and len(keys) == count
        and all(is_key(step.data) for step in keys)
    )


def is_key(data: bytes) -> bool:
    """Whether *data* has the size that its first byte says a public key has."""
    return bool(data) and _KEY_SIZES.get(data[0]) == len(data)


def _small_number(step: Operation) -> int:
    """Return the number that *step* pushes in the shortest way; 0 if it does not."""
    if OP_1 <= step.opcode <= OP_16:
        return step.opcode - OP_1 + 1
    if step.opcode == 1 and 16 < step.data[0] <= MAX_MULTISIG_KEYS:
        return step.data[0]
    return 0
