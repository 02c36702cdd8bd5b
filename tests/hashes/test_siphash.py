import sys
from runpy import run_path

import pytest
import siphashc
from hypothesis import given, strategies as st

from bitpeer.hashes import siphash as module
from bitpeer.hashes.siphash import pure_siphash, siphash

KEY = bytes(range(16))

# The key 00 01 .. 0f; the first two from Bitcoin Core's hash_tests.cpp, the last from
# appendix A of "SipHash: a fast short-input PRF".
VECTORS = [
    (b"", 0x726FDB47DD0E0E31),
    (b"\0", 0x74F839C593DC67FD),
    (bytes(range(15)), 0xA129CA6149BE45E5),
]


@pytest.mark.parametrize("function", [siphash, pure_siphash])
@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_vectors_hold(function, data, expected):
    assert function(KEY, data) == expected


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=300))
def test_python_agrees_with_the_compiled_package(key, data):
    assert pure_siphash(key, data) == siphashc.siphash(key, data)


@pytest.mark.parametrize("size", [*range(26), 255, 256, 257, 520])
def test_python_agrees_with_the_compiled_package_at_every_word_boundary(size):
    data = bytes(at & 0xFF for at in range(size))
    assert pure_siphash(KEY, data) == siphashc.siphash(KEY, data)


@pytest.mark.parametrize("function", [siphash, pure_siphash])
@pytest.mark.parametrize("size", [0, 8, 15, 17])
def test_a_key_of_another_size_is_refused(function, size):
    with pytest.raises(ValueError, match="key"):
        function(bytes(size), b"")


def test_the_compiled_package_runs_where_it_is_installed():
    assert module.BACKEND == "siphashc"
    assert siphash is siphashc.siphash


def test_python_runs_where_it_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "siphashc", None)
    alone = run_path(module.__file__)
    assert alone["BACKEND"] == "python"
    assert alone["siphash"] is alone["pure_siphash"]
    assert alone["siphash"](KEY, b"") == VECTORS[0][1]
