import tracemalloc

import pytest
from bitcoin.core.script import CScript, CScriptInvalidError, CScriptTruncatedPushDataError
from hypothesis import given, strategies as st

from bitpeer.bitcoin.script import (
    Operation,
    is_key,
    operations,
    pays_to_key,
    pays_to_multisig,
    pushes,
)

SHORT_KEY = bytes([2]) + bytes(32)
LONG_KEY = bytes([4]) + bytes(64)


def push(data):
    return bytes([len(data)]) + data


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("00", []),
        ("0107", ["07"]),
        ("4c0107", ["07"]),
        ("4d010007", ["07"]),
        ("4e0100000007", ["07"]),
        ("4c00", []),
        ("51604fac", []),
        ("76a914" + "ab" * 20 + "88ac", ["ab" * 20]),
        ("0107" + "02", ["07"]),
        ("0107" + "02ab", ["07"]),
        ("0107" + "4c", ["07"]),
        ("0107" + "4c02ab", ["07"]),
        ("0107" + "4dff", ["07"]),
        ("0107" + "4effffffff", ["07"]),
        ("6a" + "4b" + "cd" * 75, ["cd" * 75]),
        ("4cff" + "cd" * 255 + "0107", ["cd" * 255, "07"]),
    ],
)
def test_pushes_are_found_up_to_the_one_that_claims_too_much(script, expected):
    assert [data.hex() for data in pushes(bytes.fromhex(script))] == expected


def test_operations_tell_where_they_end():
    assert list(operations(bytes.fromhex("51020a0bae"))) == [
        Operation(0x51, b"", 1),
        Operation(0x02, b"\x0a\x0b", 4),
        Operation(0xAE, b"", 5),
    ]


@given(st.binary(max_size=300))
def test_an_independent_reader_sees_the_same_operations(script):
    expected = []
    try:
        for opcode, data, _ in CScript(script).raw_iter():
            expected.append((int(opcode), data or b""))
    except (CScriptInvalidError, CScriptTruncatedPushDataError):
        pass
    assert [(step.opcode, step.data) for step in operations(script)] == expected


@pytest.mark.parametrize("key", [SHORT_KEY, bytes([3]) + bytes(32), LONG_KEY, b"\6" + bytes(64)])
def test_keys_are_known_by_their_first_byte(key):
    assert is_key(key)
    assert not is_key(key[:-1])
    assert not is_key(key + b"\0")
    assert not is_key(b"\5" + key[1:])
    assert pays_to_key(push(key) + b"\xac")


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"\xac",
        push(SHORT_KEY),
        push(SHORT_KEY) + b"\xad",
        push(SHORT_KEY) + b"\xac\xac",
        push(bytes(33)) + b"\xac",
        b"\x4c" + push(SHORT_KEY) + b"\xac",
        push(bytes(65)) + b"\xac",
        push(LONG_KEY)[:-1] + b"\xac",
        push(LONG_KEY + b"\0") + b"\xac",
        b"\x20" + SHORT_KEY + b"\xac",
    ],
)
def test_other_scripts_do_not_pay_to_a_key(script):
    assert not pays_to_key(script)


@pytest.mark.parametrize(
    "script",
    [
        b"\x51" + push(SHORT_KEY) + b"\x51\xae",
        b"\x52" + push(SHORT_KEY) + push(LONG_KEY) + b"\x52\xae",
        b"\x51" + b"\x4c" + push(SHORT_KEY) + push(LONG_KEY) + b"\x52\xae",
        b"\x60" + push(SHORT_KEY) * 16 + b"\x60\xae",
        b"\x51" + push(SHORT_KEY) * 17 + b"\x01\x11\xae",
        b"\x01\x14" + push(SHORT_KEY) * 20 + b"\x01\x14\xae",
    ],
)
def test_bare_multisignatures_are_recognised(script):
    assert pays_to_multisig(script)


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"\xae",
        b"\x51\x51\xae",
        b"\x51\xae",
        b"\x01\xae",
        b"\x00\x00\xae",
        b"\x00" + push(SHORT_KEY) + b"\x51\xae",  # nobody signs
        b"\x52" + push(SHORT_KEY) + b"\x51\xae",  # more signatures than keys
        b"\x51" + push(SHORT_KEY) + b"\x52\xae",  # more keys promised than there are
        b"\x51" + push(SHORT_KEY) * 2 + b"\x51\xae",
        b"\x51" + push(bytes(33)) + b"\x51\xae",  # not a key
        b"\x51" + push(SHORT_KEY) + b"\x51\xaf",
        b"\x51" + push(SHORT_KEY) + b"\x51\x01\xae",  # the last byte is data
        b"\x51" + push(SHORT_KEY) + b"\x51\xae\x4c\xff\xae",  # ends inside a push
        b"\x51" + push(SHORT_KEY) + b"\x51\xae\xae",
        b"\x51" + push(SHORT_KEY) + b"\x01\x01\xae",  # 1 has a shorter form
        b"\x51" + push(SHORT_KEY) * 21 + b"\x01\x15\xae",  # one key too many
        b"\x02\x01\x00" + push(SHORT_KEY) + b"\x51\xae",
    ],
)
def test_other_scripts_are_no_multisignatures(script):
    assert not pays_to_multisig(script)


def test_a_script_as_long_as_a_block_is_no_multisignature_and_costs_no_memory():
    script = b"\x51" * 1_000_000 + b"\xae"
    tracemalloc.start()
    assert not pays_to_multisig(script)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
