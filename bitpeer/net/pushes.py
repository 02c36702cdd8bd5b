"""Messages that are worth a helper: drawn at random, limited, never twice in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from bitpeer.messages.control import Reject
from bitpeer.net.writer import PeerWriter
from bitpeer.peer.requests import LastRequest

NO_HASH = bytes(32)


class PushingPeer(PeerWriter):
    """A peer that is told more than what one message holds (btcd peer.Push...Msg)."""

    _requests: dict[str, LastRequest] | None = None

    def push_addresses(self, addresses: Sequence[Any]) -> Sequence[Any]:
        """Send *addresses*, as many as one message may have, drawn at random.

        Nothing is sent if none of them can be told to this peer, or if the
        connection is gone.

        Returns:
            Those that were sent.

        Raises:
            NotEstablished: the handshake is not complete.
        """
        if self._ending is not None:
            return ()
        dialect = self._node.config.network.dialect
        version = self.negotiated_version
        fit = dialect.tellable(addresses, self.preference, version)
        if len(fit) > dialect.max_addresses:
            fit = self._node.sample(fit, dialect.max_addresses)
        if fit:
            self.send(dialect.tell(fit, self.preference, version))
        return fit

    def push_get_blocks(self, locator: Sequence[bytes], stop: bytes = NO_HASH) -> bool:
        """Send `getblocks`, unless it would repeat the one before.

        Args:
            locator: hashes in wire order, the newest block's first.
            stop: the last block wanted; zeros for as many as possible.

        Returns:
            Whether it was sent.

        Raises:
            NotEstablished: the handshake is not complete.
        """
        return self._push("getblocks", locator, stop)

    def push_get_headers(self, locator: Sequence[bytes], stop: bytes = NO_HASH) -> bool:
        """Send `getheaders`, unless it would repeat the one before.

        Arguments, result and errors as for `push_get_blocks`.
        """
        return self._push("getheaders", locator, stop)

    def push_reject(
        self,
        command: str,
        code: int,
        reason: str,
        rejected: bytes | None = None,
        *,
        wait: bool = False,
    ) -> Deferred[None] | None:
        """Send `reject`, if the negotiated version has it (BIP 61).

        Args:
            command: that of the rejected message.
            code: a `RejectCode`.
            reason: for people.
            rejected: hash of the rejected `tx` or `block`, wire order; ignored for
                others, zeros if missing.
            wait: whether to tell what becomes of it.

        Returns:
            To those who wait, a Deferred that fires when the network has taken it; at
            once if the peer's version knows no `reject`.  It fails as that of `deliver`
            does.  To others, nothing.

        Raises:
            NotEstablished: the handshake is not complete, and nobody waits.
            Unencodable: a field does not fit, and nobody waits.
        """
        dialect = self._node.config.network.dialect
        if not dialect.speaks(Reject, self.negotiated_version):
            return succeed(None) if wait else None
        extra = (rejected or NO_HASH) if command in ("tx", "block") else b""
        reject = Reject(command.encode(), code, reason.encode(), extra)
        if wait:
            return self.deliver(reject)
        self.send(reject)  # nobody would hear a Deferred fail; the log would, for each peer
        return None

    def _push(self, command: str, locator: Sequence[bytes], stop: bytes) -> bool:
        if self._ending is not None:
            return False
        if self._requests is None:
            self._requests = {}
        latest = self._requests.setdefault(command, LastRequest())
        if latest.repeated_by(locator, stop):
            return False
        dialect = self._node.config.network.dialect
        build = dialect.get_blocks if command == "getblocks" else dialect.get_headers
        self.send(build(self._node.protocol_version, tuple(locator), stop))
        latest.sent(locator, stop)
        return True
