"""Relay of transactions in packages, as far as it is specified (BIP 331, a draft).

Whoever receives a transaction whose parents are missing may ask for the wtxids of
its unconfirmed ancestors, then for those transactions that are new to it, at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from hashlib import sha256
from typing import Annotated

from bitpeer.bitcoin.transaction import Tx
from bitpeer.wire.fields import Hash, Limit, Uint64
from bitpeer.wire.message import Message, message

MAX_PACKAGE_COUNT = 100
"""Most transactions of a package."""


class PackageVersions(IntFlag):
    """What a peer can do with packages."""

    PKGTXNS = 1
    """It understands `getpkgtxns` and `pkgtxns`."""
    ANCESTORS = 2
    """It understands packages of a transaction and all its unconfirmed ancestors."""


@message("sendpackages")
class SendPackages(Message):
    """Say, between `version` and `verack`, which kinds of packages this side relays."""

    versions: Uint64
    """`PackageVersions`, or bits that nobody has defined yet."""


@message("ancpkginfo")
class AncPkgInfo(Message):
    """List a transaction's unconfirmed ancestors, and itself as the last."""

    wtxids: Annotated[Sequence[Hash], Limit(MAX_PACKAGE_COUNT)]
    """Parents before children; each 32 bytes in wire order."""


@message("getpkgtxns")
class GetPkgTxns(Message):
    """Ask for several transactions at once, or for none if one of them is not at hand."""

    wtxids: Annotated[Sequence[Hash], Limit(MAX_PACKAGE_COUNT)]
    """Each 32 bytes in wire order."""


@message("pkgtxns")
class PkgTxns(Message):
    """The transactions that a `getpkgtxns` asked for."""

    transactions: Annotated[Sequence[Tx], Limit(MAX_PACKAGE_COUNT)]
    """In the order of the question."""


def package_hash(wtxids: Iterable[bytes]) -> bytes:
    """Return the hash by which a `notfound` denies the package of *wtxids*, in wire order.

    It does not depend on their order.  The draft does not say in which byte order
    they are sorted; here it is wire order, in which they are hashed too.
    """
    return sha256(b"".join(sorted(wtxids))).digest()
