"""No request for blocks or headers twice in a row."""

from __future__ import annotations

from collections.abc import Sequence


class LastRequest:
    """Remembers the latest request of one kind (btcd peer.PushGetBlocksMsg).

    Two requests are the same if their locators begin alike and their stops are
    equal.  A request without a locator resembles none: it asks for one header.
    """

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: tuple[bytes, bytes] | None = None

    def repeated_by(self, locator: Sequence[bytes], stop: bytes) -> bool:
        """Return whether a request would be the same as the one before."""
        return bool(locator) and self._latest == (locator[0], stop)

    def sent(self, locator: Sequence[bytes], stop: bytes) -> None:
        """Note that this request has been made."""
        self._latest = (locator[0], stop) if locator else None
