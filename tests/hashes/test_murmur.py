import sys
from runpy import run_path

import mmh3
import pytest
from hypothesis import given, strategies as st

from bitpeer.hashes import murmur as module
from bitpeer.hashes.murmur import murmur3, pure_murmur3

# From Bitcoin Core's hash_tests.cpp.
VECTORS = [
    (0x00000000, "", 0x00000000),
    (0xFBA4C795, "", 0x6A396F08),
    (0xFFFFFFFF, "", 0x81F16F39),
    (0x00000000, "00", 0x514E28B7),
    (0x00000000, "00112233", 0xB4471BF8),
    (0x00000000, "001122334455667788", 0xB4698DEF),
]


@pytest.mark.parametrize("function", [murmur3, pure_murmur3])
@pytest.mark.parametrize(("seed", "data", "expected"), VECTORS)
def test_published_vectors_hold(function, seed, data, expected):
    assert function(seed, bytes.fromhex(data)) == expected


@given(st.integers(0, 0xFFFFFFFF), st.binary(max_size=300))
def test_python_agrees_with_the_compiled_package(seed, data):
    assert pure_murmur3(seed, data) == mmh3.hash(data, seed, signed=False)


@pytest.mark.parametrize("size", range(14))
def test_python_agrees_with_the_compiled_package_at_every_block_boundary(size):
    data = bytes(range(250, 250 - size, -1))
    assert pure_murmur3(1, data) == mmh3.hash(data, 1, signed=False)


@pytest.mark.parametrize("function", [murmur3, pure_murmur3])
@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_out_of_range_is_refused(function, seed):
    with pytest.raises(ValueError, match="seed"):
        function(seed, b"")


def test_the_compiled_package_runs_where_it_is_installed():
    assert module.BACKEND == "mmh3"
    assert murmur3 is not pure_murmur3


def test_python_runs_where_it_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "mmh3", None)
    alone = run_path(module.__file__)
    assert alone["BACKEND"] == "python"
    assert alone["murmur3"] is alone["pure_murmur3"]
    assert alone["murmur3"](0, b"\0") == 0x514E28B7
