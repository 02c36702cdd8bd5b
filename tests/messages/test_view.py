import pytest

from bitpeer.hashes import sha256d
from bitpeer.messages.view import View
from bitpeer.wire.framing import Envelope
from bitpeer.wire.message import Registry


class Blob(View):
    """A message that is nothing but its bytes."""

    __slots__ = ()

    command = "blob"

    def __init__(self, data):
        self._data = data
        self.seal = None


class Slab(Blob):
    __slots__ = ()

    command = "slab"


def test_the_bytes_that_came_are_the_bytes_that_go():
    data = bytes(range(100))
    assert Blob(data).encode() is data
    assert Blob(data).size == 100


def test_views_are_equal_if_command_and_bytes_are():
    assert Blob(b"same") == Blob(b"same")
    assert hash(Blob(b"same")) == hash(Blob(b"same"))
    assert Blob(b"same") != Blob(b"other")
    assert Blob(b"same") != Slab(b"same")
    assert Blob(b"same") != b"same"


@pytest.mark.parametrize("size", [10, 100_000], ids=["small", "large"])
def test_relaying_to_many_networks_hashes_once_for_each_checksum(size):
    hashed = []

    def checksum(data):
        hashed.append(data)
        return sha256d(data)

    def other_checksum(data):
        hashed.append(data)
        return bytes(4)

    def envelope(magic, function):
        return Envelope(magic, function, Registry(()), 4_000_000)

    blob = Blob(bytes(size))
    frames = {b"".join(envelope(b"one!", checksum).wrap(blob)) for _ in range(3)}
    assert len(frames) == 1
    assert len(hashed) == 1
    frame = b"".join(envelope(b"two!", other_checksum).wrap(blob))
    assert frame[20:24] == bytes(4)
    assert len(hashed) == 2
