"""One bcoin process on regtest, told what to do and asked what it saw through a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections import deque
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from twisted.internet import defer, error, protocol, reactor
from twisted.python.failure import Failure

T = TypeVar("T")

DRIVER = Path(__file__).parent / "bcoin" / "driver.js"
PATIENCE = 20
"""Seconds within which everything must have happened that a test waits for."""
LOG_LINES = 200
"""How much of the node's log is kept, for the report of a test that fails."""
NOISE = ("(fees)", "(miner)", "(chain) Memory", "(chain) Block")
"""What the node says of every block that it mines."""
SEGWIT_HEIGHT = 432
"""The first height at which bcoin's regtest obeys BIP 141: three windows of 144 blocks."""
MATURITY = 100
"""Blocks that must follow a coinbase before it may be spent."""

Event = dict[str, Any]


class NodeRefused(Exception):
    """The node answered an order with an error."""


class NodeGone(Exception):
    """The node's process ended while something was expected of it."""


class Tip(NamedTuple):
    """The end of the node's chain."""

    hash: bytes
    height: int


class BcoinNode:
    """A bcoin full node in a process of its own.

    Hashes are bytes in wire order, blocks and transactions are bytes as they travel. Every
    wait is a Deferred without a time limit: put one on it where it is used (`within`).
    """

    def __init__(self, node_modules: Path) -> None:
        self._node_modules = node_modules
        self._pipe: _Pipe | None = None
        self.port = 0
        """Where it listens on 127.0.0.1; chosen by the kernel, and kept over a restart."""

    # Its life

    async def start(self) -> None:
        """Start it with an empty chain; done when it accepts connections."""
        executable = shutil.which("node")
        assert executable is not None
        settings = json.dumps({"port": self.port})
        pipe = self._pipe = _Pipe()
        ready = self.event("ready")
        reactor.spawnProcess(
            pipe,
            executable,
            [executable, str(DRIVER), settings],
            env={**os.environ, "NODE_PATH": str(self._node_modules)},
        )
        self.port = (await ready)["port"]

    async def stop(self) -> None:
        """Let it close its connections and its chain, and wait for the process to end."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.order("stop").addErrback(lambda why: why.trap(NodeGone))
            await pipe.ended()

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.kill()
            await pipe.ended()

    def let_go(self) -> None:
        """Close the pipe, as the end of this process would."""
        self._live().close()

    def read_log(self) -> str:
        """What it logged since this was last called, or the end of it."""
        if self._pipe is None:
            return ""
        lines = list(self._pipe.log)
        self._pipe.log.clear()
        return "\n".join(lines)

    # What happens in it

    def event(self, kind: str, **fields: Any) -> defer.Deferred[Event]:
        """Wait for the next event of this kind whose fields have these values.

        The kinds are `block`, `tx` (accepted into the mempool), `message` (received from a peer and
        dealt with), `peer open`, `peer close` and `ban`. Ask before doing what brings it about.
        """
        return self._live().expect({"event": kind, **fields})

    # Its chain

    async def tip(self) -> Tip:
        found = await self._order("tip")
        return Tip(bytes.fromhex(found["hash"]), found["height"])

    async def height(self) -> int:
        return (await self.tip()).height

    async def best_hash(self) -> bytes:
        return (await self.tip()).hash

    async def generate(self, count: int = 1, kind: str = "legacy") -> list[bytes]:
        """Mine so many blocks of what is in the mempool and return their hashes.

        Args:
            count: how many.
            kind: `legacy` pays the harness' key by its hash, `segwit` by a witness program.
        """
        return [bytes.fromhex(found) for found in await self._order("generate", count, kind)]

    async def fork(self, block_hash: bytes, count: int) -> list[bytes]:
        """Mine so many blocks on top of an older one; return their hashes.

        The chain is reorganised once there are more of them than there were before.
        """
        found = await self._order("fork", block_hash.hex(), count)
        return [bytes.fromhex(each) for each in found]

    async def block(self, block_hash: bytes) -> bytes | None:
        """The block with its witnesses, or `None` if it is not there."""
        return _bytes(await self._order("block", block_hash.hex()))

    async def connect(self, block: bytes) -> bool:
        """Judge a block as if it came from the network: did it join the chain?"""
        return bool(await self._order("connect", block.hex()))

    # Its mempool

    async def fund(self) -> None:
        """Mine until both kinds of coin can be spent, segwit's rules being in force."""
        short = SEGWIT_HEIGHT - await self.height()
        if short > 0:
            await self.generate(short, "legacy")
        await self.generate(MATURITY // 2, "segwit")
        await self.generate(MATURITY, "legacy")

    async def payment(self, kind: str = "segwit", outputs: int = 1) -> bytes:
        """Build and sign a transaction, without telling anybody; every call spends another coin.

        Args:
            kind: `segwit` carries a witness, `legacy` does not.
            outputs: among how many the coin is divided.
        """
        return bytes.fromhex(await self._order("payment", kind, outputs))

    async def send_raw_transaction(self, transaction: bytes) -> None:
        """Put it into the mempool, from where it is announced to all peers.

        Raises:
            NodeRefused: it breaks a rule; the message says which.
        """
        await self._order("submit", transaction.hex())

    async def mempool(self) -> set[bytes]:
        """The ids of the transactions that wait to be mined."""
        return {bytes.fromhex(txid) for txid in await self._order("mempool")}

    async def transaction(self, txid: bytes) -> bytes | None:
        """A transaction with its witness, from the mempool or the chain."""
        return _bytes(await self._order("transaction", txid.hex()))

    async def keys(self) -> dict[str, dict[str, str]]:
        """By kind of coin, the `public_key`, `key_hash` and `address` that it is mined to."""
        found: dict[str, dict[str, str]] = await self._order("keys")
        return found

    # Its peers

    async def peers(self) -> list[dict[str, Any]]:
        """What it knows of each peer; see `describe` in the driver for the names."""
        found: list[dict[str, Any]] = await self._order("peers")
        return found

    async def peer(self, address: str) -> dict[str, Any]:
        """What it knows of the peer at this `host:port`."""
        (found,) = [peer for peer in await self.peers() if peer["address"] == address]
        return found

    async def add_peer(self, host: str, port: int) -> str:
        """Make it dial somebody, once; returns the peer's address as it spells it."""
        return str(await self._order("dial", host, port))

    async def hang_up(self, address: str) -> None:
        """Make it close the connection to this peer."""
        await self._order("hangup", address)

    async def ping(self, address: str) -> None:
        """Make it send a `ping` to this peer, if no other is unanswered."""
        await self._order("ping", address)

    async def send(self, address: str, command: str, payload: bytes) -> None:
        """Make it send this peer any payload under any command."""
        await self._order("send", address, command, payload.hex())

    def _order(self, order: str, *args: Any) -> defer.Deferred[Any]:
        return self._live().order(order, *args)

    def _live(self) -> _Pipe:
        if self._pipe is None:
            raise NodeGone("the node is not running")
        return self._pipe


class _Pipe(protocol.ProcessProtocol):
    """The lines that go to the driver and come from it."""

    def __init__(self) -> None:
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._unfinished = b""
        self._last_id = 0
        self._orders: dict[int, defer.Deferred[Any]] = {}
        self._expected: list[tuple[Event, defer.Deferred[Event]]] = []
        self._waiting_for_end: list[defer.Deferred[None]] = []
        self._gone: NodeGone | None = None

    def order(self, order: str, *args: Any) -> defer.Deferred[Any]:
        if self._gone is not None:
            return defer.fail(self._gone)
        assert self.transport is not None
        self._last_id += 1
        answer: defer.Deferred[Any] = defer.Deferred()
        self._orders[self._last_id] = answer
        line = json.dumps({"id": self._last_id, "order": order, "args": args})
        self.transport.write(line.encode() + b"\n")
        return answer

    def expect(self, wanted: Event) -> defer.Deferred[Event]:
        if self._gone is not None:
            return defer.fail(self._gone)
        expected: defer.Deferred[Event] = defer.Deferred(lambda _: self._expected.remove(entry))
        entry = (wanted, expected)
        self._expected.append(entry)
        return expected

    def ended(self) -> defer.Deferred[None]:
        if self._gone is not None:
            return defer.succeed(None)
        self._waiting_for_end.append(defer.Deferred())
        return self._waiting_for_end[-1]

    def kill(self) -> None:
        assert self.transport is not None
        with contextlib.suppress(error.ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def close(self) -> None:
        assert self.transport is not None
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "event" in said:
                self._happened(said)
            else:
                self._answered(said)

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        lines = data.decode(errors="replace").splitlines()
        self.log.extend(line for line in lines if not any(noise in line for noise in NOISE))

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        self._gone = NodeGone(f"the node ended: {reason.getErrorMessage()}")
        orphans = [*self._orders.values(), *(deferred for _, deferred in self._expected)]
        self._orders.clear()
        self._expected.clear()
        for orphan in orphans:
            orphan.errback(self._gone)
        for deferred in self._waiting_for_end:
            deferred.callback(None)

    def _answered(self, said: dict[str, Any]) -> None:
        answer = self._orders.pop(said["id"])
        if "error" in said:
            answer.errback(NodeRefused(said["error"]))
        else:
            answer.callback(said["result"])

    def _happened(self, event: Event) -> None:
        fulfilled = [entry for entry in self._expected if entry[0].items() <= event.items()]
        for entry in fulfilled:
            self._expected.remove(entry)
            entry[1].callback(event)


def within(seconds: float, promise: defer.Deferred[T] | Awaitable[T]) -> defer.Deferred[T]:
    """The same promise, failing with `TimeoutError` when it takes longer than so many seconds."""
    deferred: defer.Deferred[T] = (
        promise if isinstance(promise, defer.Deferred) else defer.ensureDeferred(promise)
    )
    return deferred.addTimeout(seconds, reactor)


def _bytes(found: str | None) -> bytes | None:
    return None if found is None else bytes.fromhex(found)
