"""A chain of headers that is opened when the program starts, followed, served and closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from zope.interface import implementer

from bitpeer.config import BlockPosition
from bitpeer.errors import InvalidSetting
from bitpeer.net.interfaces import INewestBlock, IPeer
from bitpeer.net.local import LocalNode
from bitpeer.service.headernews import HeaderNews
from bitpeer.service.headerprogress import Progress
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from bitpeer.service.headersync import HeaderSync


def _nothing(*_: Any, **__: Any) -> None:
    """Tell nobody."""


@implementer(INewestBlock)
class Following(Service):
    """Follows the chain of a node's network while it runs.

    The file is opened when it starts, as the directory belongs to this program only then.
    Before, and after, the newest block is the genesis block.

    Args:
        node: whose peers are asked, and answered.
        path: the file, from `DataDirectory.path`; `None` to keep nothing.
        useful: told of each peer that told of new headers.
        emit: see `Events.emit`.

    Raises:
        InvalidSetting: nobody knows the rules of this network.
    """

    def __init__(
        self,
        node: LocalNode,
        path: Path | None,
        *,
        useful: Callable[[IPeer], object] = _nothing,
        emit: Callable[..., object] = _nothing,
    ) -> None:
        network = node.config.network
        if network.rules is None:
            raise InvalidSetting("network", network.title, "one whose rules for headers are known")
        self.sync: HeaderSync | None = None
        """Those who ask for headers, while it runs."""
        self._node = node
        self._path = path
        self._genesis = BlockPosition(network.genesis, 0, network.rules.genesis.work)
        self._useful = useful
        self._emit = emit
        self._listeners: list[object] = []
        node.add_listener(self)

    def startService(self) -> None:
        """Open the chain.

        Raises:
            StorageUnusable: its file cannot be used.
        """
        node = self._node
        chain = HeaderChain.open(node.config.network, self._path)
        news = HeaderNews(node, chain)
        self.sync = HeaderSync(
            node, chain, useful=self._useful, changed=news.changed, emit=self._emit
        )
        self._listeners = [self.sync, HeaderServer(node, chain)]
        for listener in self._listeners:
            node.add_listener(listener)
        self.sync.startService()
        Service.startService(self)

    def stopService(self) -> None:
        """Close it."""
        Service.stopService(self)
        sync, self.sync = self.sync, None
        if sync is not None:
            sync.stopService()
            for listener in self._listeners:
                self._node.remove_listener(listener)
            sync.chain.close()

    # To look at

    @property
    def tip(self) -> BlockPosition:
        """The newest block."""
        return self._genesis if self.sync is None else self.sync.chain.tip

    @property
    def tip_time(self) -> int:
        """When it was made, in seconds since 1970."""
        return 0 if self.sync is None else self.sync.chain.tip_time

    def newest_block(self) -> BlockPosition:
        """See `INewestBlock`."""
        return self.tip

    def progress(self) -> Progress:
        """Return how far the chain is."""
        if self.sync is None:
            return Progress(0, 0, 0, 0.0, None, current=False)
        return self.sync.progress()
