import sys
import threading
from runpy import run_path

import pytest
from hypothesis import given, strategies as st

from bitpeer.hashes import blake256 as module
from bitpeer.hashes.blake256 import Blake256, PureBlake256, blake256, pure_blake256

# dcrd crypto/blake256/hasher_test.go; the empty input, one byte and 72 are in the submission to
# the SHA-3 competition, too.
VECTORS = [
    (b"", "716f6e863f744b9ac22c97ec7b76ea5f5908bc5b2f67c61510bfc4751384ea7a"),
    (b"\0", "0ce8d4ef4dd7cd8d62dfded9d4edb0a774ae6a41929a74da23109e8f11139c87"),
    (bytes(72), "d419bad32d504fb7d44d460c42c5593fe544fa4c135dec31e21bd9abdcc22d41"),
    (b"\xff" * 54, "a4391221d360dfebe984848d8e6cb81802d9a56a1b10c5bcbe0cdb3812efb322"),
    (b"\x01" * 55, "b7d949165810b1a2f018c37392c633031bde4d45e453a3d5e62f2ba73fbf9769"),
    (b"\x03" * 127, "9adc25ef2bd7129e6e5d9fb5dc93b91f9b33453b61b5085fbc40b0e44fe69eea"),
    (
        b"The quick brown fox jumps over the lazy dog",
        "7576698ee9cad30173080678e5965916adbb11cb5245d386bf1ffda1cb26c9d7",
    ),
    (b"abc", "1833a9fa7cf4086bd5fda73da32e5a1d75b4c3f89d5c436369f9d78bb2da5c28"),
    (b"BLAKE", "07663e00cf96fbc136cf7b1ee099c95346ba3920893d18cc8851f22ee2e36aa6"),
    (b"Go", "fd7282ecc105ef201bb94663fc413db1b7696414682090015f17e309b835f1c2"),
    (
        b"HELP! I'm trapped in hash!",
        "1e75db2a709081f853c2229b65fd1558540aa5e7bd17b04b9a4b31989effa711",
    ),
]
# Every way in which the padding can meet the end of a block, and the block after it.
EDGES = [0, 1, 54, 55, 56, 63, 64, 65, 111, 118, 119, 120, 127, 128, 129, 180, 4096, 5000]

hashers = pytest.mark.parametrize("hasher", [Blake256, PureBlake256])


@pytest.mark.parametrize("function", [blake256, pure_blake256])
@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_vectors_hold(function, data, expected):
    assert function(data).hex() == expected


@hashers
@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_vectors_hold_byte_by_byte(hasher, data, expected):
    state = hasher()
    for byte in data:
        state.update(bytes((byte,)))
    assert state.digest().hex() == expected
    assert hasher(data).digest().hex() == expected


@pytest.mark.parametrize("size", EDGES)
def test_both_agree_at_the_edges_of_blocks(size):
    data = bytes(at % 251 for at in range(size))
    assert blake256(data) == pure_blake256(data)


@given(st.binary(max_size=300))
def test_both_agree_on_anything(data):
    assert blake256(data) == pure_blake256(data)


@hashers
@given(st.lists(st.binary(max_size=150), max_size=6))
def test_the_pieces_do_not_matter(hasher, pieces):
    state = hasher()
    for piece in pieces:
        state.update(piece)
    assert state.digest() == blake256(b"".join(pieces))


@hashers
def test_a_digest_may_be_asked_for_on_the_way(hasher):
    state = hasher(b"one")
    assert state.digest() == state.digest() == blake256(b"one")
    state.update(b"two")
    assert state.digest() == blake256(b"onetwo")


@hashers
def test_a_copy_goes_its_own_way(hasher):
    state = hasher(bytes(100))
    copy = state.copy()
    copy.update(b"more")
    assert state.digest() == blake256(bytes(100))
    assert copy.digest() == blake256(bytes(100) + b"more")


@hashers
def test_large_pieces_are_hashed_as_small_ones_are(hasher):
    data = bytes(range(256)) * 40
    state = hasher(data[:3])
    state.update(memoryview(data)[3:])
    assert state.digest() == blake256(data)


@pytest.mark.parametrize("view", [bytearray, memoryview])
def test_any_buffer_can_be_hashed(view):
    assert blake256(view(b"BLAKE")) == pure_blake256(view(b"BLAKE")) == blake256(b"BLAKE")


@pytest.mark.parametrize("function", [blake256, pure_blake256, Blake256, PureBlake256])
@pytest.mark.parametrize("data", ["text", None, 5])
def test_only_bytes_can_be_hashed(function, data):
    with pytest.raises(TypeError):
        function(data)


def test_threads_do_not_disturb_each_other():
    data = [bytes((at,)) * 300_000 for at in range(4)]
    found = {}

    def run(at):
        found[at] = Blake256(data[at]).digest()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {at: blake256(each) for at, each in enumerate(data)}


def test_python_stands_in_where_nothing_was_compiled(monkeypatch):
    monkeypatch.setitem(sys.modules, "bitpeer.hashes._blake256", None)
    monkeypatch.delattr("bitpeer.hashes._blake256", raising=False)
    names = run_path(module.__file__)
    assert names["BLAKE256_BACKEND"] == "python"
    assert names["blake256"] is names["pure_blake256"]
    assert names["Blake256"] is names["PureBlake256"]
    assert names["blake256"](b"BLAKE") == blake256(b"BLAKE")


def test_the_backend_is_told():
    backend = "python" if blake256 is pure_blake256 else "c"
    assert backend == module.BLAKE256_BACKEND
