from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.packages import (
    MAX_PACKAGE_COUNT,
    AncPkgInfo,
    GetPkgTxns,
    PackageVersions,
    PkgTxns,
    SendPackages,
    package_hash,
)
from bitpeer.bitcoin.transaction import Tx
from bitpeer.errors import LimitExceeded, TrailingBytes, Truncated, Unencodable
from tests.bitcoin import values, vectors

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
TX = Tx.decode(vectors.P2WPKH.raw)


@pytest.mark.parametrize(
    ("message", "raw"),
    [
        (SendPackages(PackageVersions.PKGTXNS | PackageVersions.ANCESTORS), b"\x03" + bytes(7)),
        (SendPackages(1 << 63), bytes(7) + b"\x80"),
        (AncPkgInfo([ONE, TWO]), b"\x02" + ONE + TWO),
        (AncPkgInfo([]), b"\x00"),
        (GetPkgTxns([TWO]), b"\x01" + TWO),
        (PkgTxns((TX, TX)), b"\x02" + 2 * vectors.P2WPKH.raw),
        (PkgTxns(()), b"\x00"),
    ],
    ids=lambda value: value.command if hasattr(value, "command") else "",
)
def test_every_message_byte_for_byte(message, raw):
    assert message.encode() == raw
    assert type(message).decode(raw) == message
    for end in range(len(raw)):
        with pytest.raises(Truncated):
            type(message).decode(raw[:end])
    with pytest.raises(TrailingBytes):
        type(message).decode(raw + b"\x00")


@pytest.mark.parametrize(
    ("kind", "item"), [(AncPkgInfo, ONE), (GetPkgTxns, ONE), (PkgTxns, Tx([], []))]
)
def test_a_package_has_at_most_a_hundred_transactions(kind, item):
    most = kind((item,) * MAX_PACKAGE_COUNT)
    assert kind.decode(most.encode()) == most
    with pytest.raises(Unencodable):
        kind((item,) * (MAX_PACKAGE_COUNT + 1)).encode()
    with pytest.raises(LimitExceeded):
        kind.decode(b"\x65" + most.encode()[1:] + bytes(32))


@given(st.lists(values.transactions(), max_size=3))
def test_every_package_comes_back_as_it_went(transactions):
    message = PkgTxns(tuple(transactions))
    assert PkgTxns.decode(message.encode()) == message


def test_the_hash_of_a_package_does_not_depend_on_the_order():
    assert package_hash([TWO, ONE]) == package_hash([ONE, TWO]) == sha256(ONE + TWO).digest()
