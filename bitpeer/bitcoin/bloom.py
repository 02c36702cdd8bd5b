"""Bloom filters over transactions: to ask for a wallet's own without naming them (BIP 37)."""

from __future__ import annotations

from enum import IntEnum
from math import log
from struct import Struct
from typing import Self

from bitpeer.bitcoin.script import pays_to_key, pays_to_multisig, pushes
from bitpeer.bitcoin.transaction import Tx
from bitpeer.errors import InvalidSetting, LimitExceeded
from bitpeer.hashes.murmur import murmur3
from bitpeer.messages.bloom import MAX_FILTER_SIZE, MAX_HASH_FUNCTIONS, FilterLoad

_SEED_STEP = 0xFBA4C795
_UINT32 = 0xFFFF_FFFF
_LN2 = log(2)
_OUTPOINT = Struct("<32sI")


class Update(IntEnum):
    """What a matching output adds to the filter, so that spending it will match as well."""

    NONE = 0
    ALL = 1
    """Its outpoint."""
    P2PUBKEY_ONLY = 2
    """Its outpoint, if it pays to a bare key or to some of several.

    Whoever spends another kind of output has to push what it matched by: a key or a script.
    """


_UPDATE_MASK = 3


class BloomFilter:
    """A set of byte strings in few bits: "not in it" is certain, "in it" is not.

    Args:
        bits: at most 36,000 bytes; none at all make a filter that matches everything.
        hash_functions: how many bits each element sets; at most 50.
        tweak: an unsigned 32-bit number that makes this user's filter look different.
        flags: an `Update`; higher bits mean nothing yet.

    Raises:
        InvalidSetting: one of these is out of range.
    """

    __slots__ = ("_bits", "_seeds", "flags", "tweak")

    def __init__(
        self, bits: bytes, hash_functions: int, tweak: int = 0, flags: int = Update.NONE
    ) -> None:
        if len(bits) > MAX_FILTER_SIZE:
            raise InvalidSetting("bytes of a bloom filter", len(bits), f"at most {MAX_FILTER_SIZE}")
        if not 0 <= hash_functions <= MAX_HASH_FUNCTIONS:
            expected = f"0 to {MAX_HASH_FUNCTIONS}"
            raise InvalidSetting("hash functions of a bloom filter", hash_functions, expected)
        if not 0 <= tweak <= _UINT32:
            raise InvalidSetting("tweak of a bloom filter", tweak, "an unsigned 32-bit number")
        if not 0 <= flags <= 0xFF:
            raise InvalidSetting("flags of a bloom filter", flags, "one byte")
        self._bits = bytearray(bits)
        self._seeds = [(at * _SEED_STEP + tweak) & _UINT32 for at in range(hash_functions)]
        self.tweak = tweak
        self.flags = flags

    @classmethod
    def sized(
        cls,
        elements: int,
        false_positive_rate: float,
        tweak: int = 0,
        flags: int = Update.NONE,
    ) -> Self:
        """Return an empty filter that will serve for so many elements.

        Where the protocol does not allow so large a filter it becomes as large as it may.

        Args:
            elements: how many are going to be added; at least 1.
            false_positive_rate: the share of other elements that may match; above 0, at most 1.

        Raises:
            InvalidSetting: one of these is out of range.
        """
        if elements < 1:
            raise InvalidSetting("elements of a bloom filter", elements, "at least 1")
        if not 0 < false_positive_rate <= 1:
            expected = "above 0, at most 1"
            raise InvalidSetting("false-positive rate", false_positive_rate, expected)
        wanted = -elements * log(false_positive_rate) / _LN2**2
        size = int(min(wanted, MAX_FILTER_SIZE * 8)) // 8
        # The quotient is a whole number in Bitcoin Core, and so the same filters come out here.
        hash_functions = min(int(size * 8 // elements * _LN2), MAX_HASH_FUNCTIONS)
        return cls(bytes(size), hash_functions, tweak, flags)

    @classmethod
    def from_message(cls, message: FilterLoad) -> Self:
        """Return the filter that a peer loads.

        Raises:
            LimitExceeded: it wants more hash functions than are allowed, which is
                worth a disconnection.
        """
        if message.hash_functions > MAX_HASH_FUNCTIONS:
            raise LimitExceeded(message.hash_functions, MAX_HASH_FUNCTIONS)
        return cls(message.filter, message.hash_functions, message.tweak, message.flags)

    def to_message(self) -> FilterLoad:
        """Return what loads this filter at a peer."""
        return FilterLoad(bytes(self._bits), len(self._seeds), self.tweak, self.flags)

    @property
    def size(self) -> int:
        """Bytes of the filter."""
        return len(self._bits)

    @property
    def hash_functions(self) -> int:
        """How many bits each element sets."""
        return len(self._seeds)

    def add(self, element: bytes) -> None:
        """Put *element* into the set; an empty filter stays empty."""
        bits, total = self._bits, len(self._bits) * 8
        if not total:
            return
        for seed in self._seeds:
            at = murmur3(seed, element) % total
            bits[at >> 3] |= 1 << (at & 7)

    def add_outpoint(self, txid: bytes, index: int) -> None:
        """Put the output *index* of transaction *txid* (wire order) into the set."""
        self.add(_OUTPOINT.pack(txid, index))

    def __contains__(self, element: bytes) -> bool:
        bits, total = self._bits, len(self._bits) * 8
        if not total:
            return True
        for seed in self._seeds:
            at = murmur3(seed, element) % total
            if not bits[at >> 3] >> (at & 7) & 1:
                return False
        return True

    def matches(self, tx: Tx) -> bool:
        """Whether *tx* is one that the filter's owner wants to hear of.

        It is if its txid, anything its output scripts push, an outpoint it spends
        or anything its input scripts push is in the set.  Every matching output is
        put into the set as `flags` say: so judge transactions in the order of their
        block, and each of them once.
        """
        if not self._bits:
            return True
        found = tx.txid in self
        for index, output in enumerate(tx.outputs):
            if any(data in self for data in pushes(output.script)):
                found = True
                if self._updated_by(output.script):
                    self.add_outpoint(tx.txid, index)
        return found or any(
            _OUTPOINT.pack(*each.outpoint) in self
            or any(data in self for data in pushes(each.script))
            for each in tx.inputs
        )

    def _updated_by(self, script: bytes) -> bool:
        """Whether an output with this *script* is put into the set when it matches."""
        match self.flags & _UPDATE_MASK:
            case Update.ALL:
                return True
            case Update.P2PUBKEY_ONLY:
                return pays_to_key(script) or pays_to_multisig(script)
        return False
