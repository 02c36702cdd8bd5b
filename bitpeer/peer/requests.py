"""No request for blocks or headers twice in a row."""

from __future__ import annotations

from collections.abc import Sequence


class LastRequest:
    """Remembers the latest request of one kind (btcd peer.PushGetBlocksMsg)."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: tuple[bytes, bytes] | None = None

    def is_new(self, locator: Sequence[bytes], stop: bytes) -> bool:
        """Note a request; return whether it differs from the one before.

        Two requests are the same if their locators begin alike and their stops
        are equal.
        """
        request = (locator[0] if locator else b"", stop)
        if request == self._latest:
            return False
        self._latest = request
        return True
