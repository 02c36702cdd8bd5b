"""Two `twistd bitpeer` processes on this machine, and an account of what they say.

    make demo        or, where bitpeer is installed,        python examples/demo.py

It needs no internet, takes a few seconds, and fails if anything goes wrong.  Alice listens, Bob
dials her; both are ordinary processes, started as you would start them, but for a log in JSON,
which this script reads.  Then the script itself dials Alice, as Carol, to announce something.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import react
from twisted.logger import jsonFileLogObserver

from bitpeer import PeerConfig, connect
from bitpeer.bitcoin import REGTEST, InvType, InvVect

PATIENCE = 30.0
"""Seconds for everything; a healthy machine needs three."""

MEANINGS = {
    "version": "who I am, what I speak, how many blocks I have",
    "wtxidrelay": "please announce transactions by wtxid (BIP 339)",
    "sendaddrv2": "please tell me addresses in the new form (BIP 155)",
    "verack": "I have seen your version: agreed",
    "sendheaders": "please announce blocks by their headers (BIP 130)",
    "sendcmpct": "I can read compact blocks (BIP 152)",
    "ping": "are you there?",
    "pong": "I am",
    "inv": "this is what I have",
}
"""What messages mean, as if they were said aloud."""

Event = dict[str, Any]


def json_log() -> Any:
    """Make a log observer that writes every event to standard output: for ``--logger``."""
    return jsonFileLogObserver(sys.stdout, recordSeparator="")


class Node(ProcessProtocol):
    """One `twistd bitpeer` process, and what it logs."""

    def __init__(self, name: str, *options: str) -> None:
        self.name = name
        self.options = ("--network", "regtest", *options)
        self.events: list[Event] = []
        self.ended: Deferred[int] = Deferred()
        self.tell: Callable[[Event], None] = lambda _: None
        self._waiting: list[tuple[Callable[[Event], bool], Deferred[Event]]] = []
        self._rest = b""

    def start(self, reactor: Any) -> Node:
        here = Path(__file__).resolve().parent
        paths = [str(here), str(here.parent), os.environ.get("PYTHONPATH", "")]
        command = [
            *(sys.executable, "-c", "from twisted.scripts.twistd import run; run()"),
            *("--nodaemon", "--pidfile=", "--logger", "demo.json_log"),
            *("bitpeer", *self.options, "--data-dir", "memory", "--log-level", "trace"),
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        reactor.spawnProcess(self, sys.executable, command, environment)
        print(f"  {self.name:<6} twistd -n bitpeer {' '.join(self.options)}")
        return self

    def wait_for(self, **fields: object) -> Deferred[Event]:
        """Return a Deferred that fires with the first event that has these *fields*."""

        def wanted(event: Event) -> bool:
            return all(event.get(name) == value for name, value in fields.items())

        found: Deferred[Event] = Deferred()
        for event in filter(wanted, self.events):
            found.callback(event)
            return found
        self._waiting.append((wanted, found))
        return found

    def stop(self) -> Deferred[int]:
        """Ask it to stop; the Deferred fires with its exit status."""
        if not self.ended.called:
            assert self.transport is not None  # it has been started
            self.transport.signalProcess("TERM")
        return self.ended

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._heard(json.loads(line))

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        sys.stderr.buffer.write(data)

    def processEnded(self, reason: Any) -> None:  # noqa: N802
        status = reason.value.exitCode
        self.ended.callback(status)
        waiting, self._waiting = self._waiting, []
        for _, missed in waiting:
            missed.errback(RuntimeError(f"{self.name} ended too early, with status {status}"))

    def _heard(self, event: Event) -> None:
        self.events.append(event)
        self.tell(event)
        for wanted, found in tuple(self._waiting):
            if wanted(event):
                self._waiting.remove((wanted, found))
                found.callback(event)


SENT = "{peer} sent {command}, {size} bytes\n{shown}\n{dump}"
RECEIVED = "{peer} received {command}, {size} bytes\n{shown}\n{dump}"
ESTABLISHED = "{peer} established: {agent}, version {version}"
LISTENING = "listening on {address}"
LOST = "{peer} lost: {reason}"


class Account:
    """Prints what one node says and hears, with the time since it began to speak."""

    def __init__(self, speaker: str, listener: str) -> None:
        self._directions = {
            SENT: f"{speaker} -> {listener}",
            RECEIVED: f"{speaker} <- {listener}",
        }
        self._began: float | None = None

    def __call__(self, event: Event) -> None:
        direction = self._directions.get(event.get("log_format", ""))
        if direction is None:
            return
        if self._began is None:
            self._began = event["log_time"]
        passed = (event["log_time"] - self._began) * 1000
        command, size = event["command"], event["size"]
        meaning = MEANINGS.get(command, "")
        print(f"  {passed:6.1f} ms  {direction}  {command:<12}{size:>4} bytes  {meaning}")


def dumped(dump: str) -> bytes:
    """Return the bytes that a hexdump shows: between its offsets and its text."""
    return bytes.fromhex("".join(row[8:].partition("|")[0] for row in dump.splitlines()))


async def tell_the_story(reactor: Any, alice: Node, bob: Node) -> None:
    print("\nTwo peers on Bitcoin's regtest network, on this machine only:\n")
    alice.start(reactor)
    address = (await alice.wait_for(log_format=LISTENING))["address"]
    bob.options += ("--connect", address)
    bob.tell = Account("bob", "alice")
    bob.start(reactor)

    print("\nThey introduce themselves, as Bob's log tells it:\n")
    seen = await alice.wait_for(log_format=ESTABLISHED)
    ping = await bob.wait_for(log_format=SENT, command="ping")
    pong = await bob.wait_for(log_format=RECEIVED, command="pong")
    await bob.wait_for(log_format=SENT, command="pong")
    latency = (pong["log_time"] - ping["log_time"]) * 1000
    print(f"\n  Alice knows Bob as {seen['agent']}, protocol version {seen['version']}.")
    print(f"  Bob's ping came back after {latency:.1f} ms.")

    print("\nThis script dials Alice, too, as Carol, and announces a transaction:\n")
    config = PeerConfig(network=REGTEST, trickle_interval=0.2)
    carol = await connect(reactor, address, config)
    transaction = secrets.token_bytes(32)
    carol.announce(InvVect(InvType.TX, transaction))
    heard = await alice.wait_for(log_format=RECEIVED, command="inv")
    if transaction not in dumped(heard["dump"]):
        raise RuntimeError("Alice heard of something else")
    print(f"  carol -> alice  inv  {transaction[::-1].hex()}")

    print("\nThey part:\n")
    bob_status = await bob.stop()
    print(f"  Bob is told to stop. He says goodbye, and ends with status {bob_status}.")
    lost = await alice.wait_for(log_format=LOST, peer=seen["peer"])
    print(f"  Alice notes: {lost['peer']} lost: {lost['reason']}.")
    carol.disconnect()
    await carol.when_lost()
    alice_status = await alice.stop()
    print(f"  Alice is told to stop as well, and ends with status {alice_status}.")
    if bob_status or alice_status:
        raise RuntimeError("a process did not end well")
    print("\nThat was all of it.")


async def main(reactor: Any) -> None:
    alice = Node("alice", "--listen", "127.0.0.1:0")
    bob = Node("bob")
    story = Deferred.fromCoroutine(tell_the_story(reactor, alice, bob))
    try:
        await story.addTimeout(PATIENCE, reactor)
    except Exception as error:
        for node in (alice, bob):
            for event in node.events:
                print(f"  {node.name} logged {event.get('log_format')!r}", file=sys.stderr)
            if node.transport is not None and not node.ended.called:
                node.transport.signalProcess("KILL")
                await node.ended
        raise SystemExit(f"The demonstration failed: {error or type(error).__name__}") from error


if __name__ == "__main__":
    react(main)
