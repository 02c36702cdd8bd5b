import sys
from runpy import run_path

import pytest
from hypothesis import given, strategies as st

from bitpeer.hashes import blake3 as module
from bitpeer.hashes.blake3 import blake3, pure_blake3

# test_vectors.json of the reference implementation: the byte at n is n % 251.
VECTORS = {
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    64: "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98",
    65: "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    2048: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    3072: "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2",
}


@pytest.mark.parametrize("function", [blake3, pure_blake3])
@pytest.mark.parametrize("size", VECTORS)
def test_published_vectors_hold(function, size):
    assert function(bytes(at % 251 for at in range(size))).hex() == VECTORS[size]


@given(st.binary(max_size=400))
def test_both_agree_on_anything(data):
    assert blake3(data) == pure_blake3(data)


@pytest.mark.parametrize("size", [1023, 1026, 2047, 2049, 3073, 4096, 5121])
def test_both_agree_on_trees_of_every_shape(size):
    data = bytes(at % 251 for at in range(size))
    assert blake3(data) == pure_blake3(data)


def test_python_stands_in_where_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "blake3", None)
    names = run_path(module.__file__)
    assert names["BLAKE3_BACKEND"] == "python"
    assert names["blake3"] is names["pure_blake3"]


def test_the_backend_is_told():
    assert module.BLAKE3_BACKEND == "blake3"
