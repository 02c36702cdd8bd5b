"""Tests of `bitpeer.testing.brief`."""

import pytest

from bitpeer.bitcoin import (
    BlockHeader,
    CmpctBlock,
    GetData,
    Headers,
    Inv,
    InvType,
    InvVect,
    Reject,
    RejectCode,
    Services,
    VerAck,
    Version,
)
from bitpeer.messages.addresses import NOWHERE
from bitpeer.testing.brief import brief
from bitpeer.wire.message import Unknown

HASH = bytes(range(32))
TEXT = HASH[::-1].hex()
ENDS = f"{TEXT[:8]}..{TEXT[-8:]}"
HELLO = Version(70016, 0, 0, NOWHERE, NOWHERE, 9, b"/x:1/", 0, True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (VerAck(), "VerAck()"),
        (Inv([]), "Inv(items=[])"),
        (Inv([InvVect(InvType.BLOCK, HASH)]), f"Inv(items=[InvVect(BLOCK, {TEXT})])"),
        (Inv.decode(Inv([InvVect(2, HASH)]).encode()), f"Inv(items=[InvVect(2, {TEXT})])"),
        (
            GetData([InvVect(InvType.TX, HASH)] * 3),
            f"GetData(items=[{', '.join([f'InvVect(TX, {ENDS})'] * 3)}])",
        ),
        (
            GetData([InvVect(InvType.WITNESS_BLOCK, HASH)] * 50),
            f"GetData(items=[InvVect(WITNESS_BLOCK, {ENDS}), .. 49 more])",
        ),
        (Reject("tx", RejectCode.DUST, b"a < b"), "reason=b'a < b'"),
        (Unknown("x", b"\xff"), "Unknown('x', ff)"),
        (b"\xff" * 500, "ffffffff..ffffffff"),
        (b"GET / HTTP/1.1", "b'GET / HTTP/1.1'"),
        (Services(0), "0"),
        (Services.NETWORK | Services.WITNESS, "NETWORK|WITNESS"),
    ],
)
def test_the_more_there_is_the_less_is_told_of_each(said, told):
    assert told in brief(said, 140)


def test_a_structure_in_a_message_is_left_out_before_the_message_is_cut():
    assert "receiver=NetAddress(..)" in brief(HELLO, 140)
    assert "NetAddress(services=0" in brief(HELLO, 1_000)
    assert brief(HELLO, 30) == "Version(version=70016, servi.."


def test_values_of_other_makes_tell_of_themselves():
    header = BlockHeader(1, HASH, HASH, 1, 2, 3)
    assert brief(Headers([header]), 140) == repr(Headers([header]))
    assert brief(CmpctBlock(header, 5, [], []), 300).startswith(
        f"CmpctBlock(header=BlockHeader(1, {TEXT}"
    )
