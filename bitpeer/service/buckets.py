"""Where an address may be kept: few places, which nobody outside can foretell."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from bitpeer.service.knownaddress import KnownAddress

SECRET_SIZE = 32
"""Bytes of a secret."""
BUCKET_SIZE = 64
"""Places in a bucket."""
NEW_BUCKETS = 1_024
"""Buckets for addresses that have only been heard of."""
NEW_BUCKETS_PER_ORIGIN = 64
"""How many of them one group of sources can reach."""
PROVEN_BUCKETS = 256
"""Buckets for addresses that have answered."""
PROVEN_BUCKETS_PER_GROUP = 8
"""How many of them one group of addresses can reach."""

Place = tuple[int, int]
"""A bucket, and a position in it."""


def draw_secret() -> bytes:
    """Return a new secret."""
    return token_bytes(SECRET_SIZE)


class Buckets:
    """One table of addresses: buckets with a number of places each.

    Every address has exactly one place.  Which one depends on a secret, so that an
    adversary can neither aim at the place of another, nor reach more buckets than the
    groups allow that are in his hands.

    Args:
        count: how many buckets.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._size = 0
        self._filled: list[dict[int, KnownAddress]] = []
        """Those that are not empty, in no order: what is drawn from."""
        self._index: dict[int, int] = {}
        """Of each of them, by its number."""
        self._numbers: list[int] = []
        """The number of each of them."""

    def __len__(self) -> int:
        return self._size

    def at(self, place: Place) -> KnownAddress | None:
        """Return what is at *place*."""
        bucket, position = place
        index = self._index.get(bucket)
        return None if index is None else self._filled[index].get(position)

    def put(self, known: KnownAddress, place: Place) -> None:
        """Put an address at a *place* that is free."""
        known.place = place
        bucket, position = place
        index = self._index.get(bucket)
        if index is None:
            self._index[bucket] = len(self._filled)
            self._filled.append({position: known})
            self._numbers.append(bucket)
        else:
            self._filled[index][position] = known
        self._size += 1

    def take(self, known: KnownAddress) -> None:
        """Take an address out."""
        bucket, position = known.place
        index = self._index[bucket]
        del self._filled[index][position]
        self._size -= 1
        if not self._filled[index]:
            del self._index[bucket]
            contents, number = self._filled.pop(), self._numbers.pop()
            if number != bucket:
                self._filled[index], self._numbers[index] = contents, number
                self._index[number] = index

    def draw(self, below: Callable[[int], int]) -> KnownAddress:
        """Return an address drawn at random: first a bucket, then one of what is in it.

        So whoever fills one bucket to the brim is no likelier to be drawn than somebody
        who is alone in another.

        Args:
            below: given n, returns a random number, 0 <= x < n.
        """
        bucket = tuple(self._filled[below(len(self._filled))].values())
        return bucket[below(len(bucket))]


def new_place(secret: bytes, known: KnownAddress, buckets: int) -> Place:
    """Return where an address belongs that has only been heard of."""
    lane = _number(secret, b"lane", known.group, known.origin) % NEW_BUCKETS_PER_ORIGIN
    bucket = _number(secret, b"new", known.origin, b"%d" % lane) % buckets
    return bucket, _position(secret, b"new place", bucket, known)


def proven_place(secret: bytes, known: KnownAddress, buckets: int) -> Place:
    """Return where an address belongs that has answered."""
    lane = _number(secret, b"proven lane", _key(known)) % PROVEN_BUCKETS_PER_GROUP
    bucket = _number(secret, b"proven", known.group, b"%d" % lane) % buckets
    return bucket, _position(secret, b"proven place", bucket, known)


def _position(secret: bytes, purpose: bytes, bucket: int, known: KnownAddress) -> int:
    return _number(secret, purpose, b"%d" % bucket, _key(known)) % BUCKET_SIZE


def _key(known: KnownAddress) -> bytes:
    return b"%s %d" % (known.address.host.encode(), known.address.port)


def _number(secret: bytes, purpose: bytes, *parts: bytes) -> int:
    """Return 64 bits that follow from *parts*, for those who know the *secret*."""
    text = b"".join(b"%d:%s" % (len(part), part) for part in parts)
    digest = blake2b(text, digest_size=8, key=secret, person=purpose)
    return int.from_bytes(digest.digest(), "big")
