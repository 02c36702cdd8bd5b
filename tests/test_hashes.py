import pytest

from bitpeer.hashes import hash_from_text, hash_to_text, sha256d

# The genesis block's header; its hash is known to everybody, in reverse.
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"),
        (GENESIS, "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"),
    ],
)
def test_known_hashes_come_in_wire_order(data, expected):
    assert sha256d(data).hex() == expected


def test_people_write_hashes_backwards():
    genesis = sha256d(GENESIS)
    text = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert hash_to_text(genesis) == text
    assert hash_from_text(text) == hash_from_text(text.upper()) == genesis


@pytest.mark.parametrize(
    "text", ["", "00", "0" * 63, "0" * 65, "0" * 66, "g" * 64, " " * 64, "0" * 31 + "  " + "0" * 31]
)
def test_what_is_not_64_digits_is_no_hash(text):
    with pytest.raises(ValueError, match="hexadecimal"):
        hash_from_text(text)


TEXT = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def test_people_write_hashes_with_the_last_byte_first():
    assert hash_to_text(sha256d(GENESIS)) == TEXT
    assert hash_from_text(TEXT) == hash_from_text(TEXT.upper()) == sha256d(GENESIS)


@pytest.mark.parametrize("text", ["", TEXT[2:], TEXT + "00", TEXT[1:], f" {TEXT[2:]} ", "x" * 64])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(ValueError, match="hex"):
        hash_from_text(text)
