"""Two machines on an imaginary wire, which delivers what, when and in whatever slices one likes.

Everything that is said is recorded, so a test can look at the order of the words afterwards.
"""

from collections.abc import Callable

from bitpeer.peer.machine import Event, PeerMachine


class Side:
    """One end of the wire.

    Attributes:
        heard: the events that an application saw, in order.
        stream: every byte that was sent, in order.
        flight: the last of them, which have not arrived yet.
    """

    def __init__(self, machine: PeerMachine) -> None:
        self.machine = machine
        self.heard: list[Event] = []
        self.stream = b""
        self.flight = b""
        self.react: Callable[[Event], object] = lambda _: None

    @property
    def said(self) -> list[str]:
        """The commands of all that was sent, in order."""
        found, pos = [], 0
        while pos < len(self.stream):
            found.append(self.stream[pos + 4 : pos + 16].rstrip(b"\0").decode())
            pos += 24 + int.from_bytes(self.stream[pos + 16 : pos + 20], "little")
        assert pos == len(self.stream)
        return found

    def fetch(self) -> None:
        """Put on the wire what the machine has to send."""
        data = b"".join(self.machine.data_to_send())
        self.stream += data
        self.flight += data


class Pair:
    """Two machines that talk to each other.

    Args:
        dialler: a machine that has not been started.
        listener: another, at the end that was dialled.
    """

    def __init__(self, dialler: PeerMachine, listener: PeerMachine) -> None:
        self.dialler = Side(dialler)
        self.listener = Side(listener)

    def start(self, now: float = 0.0) -> None:
        """Connect the wire."""
        for side in (self.listener, self.dialler):
            side.machine.start(now)
            side.fetch()

    def deliver(self, source: Side, count: int, now: float = 0.0) -> bool:
        """Let at most *count* bytes of *source* arrive; return whether there were any."""
        target = self.listener if source is self.dialler else self.dialler
        data, source.flight = source.flight[:count], source.flight[count:]
        if data and not target.machine.over:
            for event in target.machine.receive_data(data, now):
                target.heard.append(event)
                target.react(event)
            target.fetch()
        return bool(data)

    def run(self, now: float = 0.0, count: int = 1 << 30) -> None:
        """Let everything arrive, *count* bytes at a time, until nobody has anything to say."""
        for side in (self.dialler, self.listener):
            side.fetch()
        while self.deliver(self.dialler, count, now) + self.deliver(self.listener, count, now):
            pass

    def wake(self, now: float) -> None:
        """Let both sides do what is due, and let it arrive."""
        for side in (self.dialler, self.listener):
            side.machine.wake(now)
            side.machine.flush(now)
        self.run(now)

    def close(self) -> None:
        """Cut the wire."""
        for side in (self.dialler, self.listener):
            side.machine.close()
