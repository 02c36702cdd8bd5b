"""An imaginary network to test peers in, for users of this package as for itself.

A `Simulation` has hosts.  Each is a reactor: give it to `peer_service`, `connect` or
an endpoint, and everything runs there, over imaginary connections, at a speed of
thousands of simulated seconds in a real one, and exactly the same for the same seed::

    with Simulation(seed=7, link=Link(latency=0.1, jitter=0.05)) as simulation:
        here, there = simulation.host(), simulation.host("20.9.0.1")
        peer_service(config, listen=["8333"], reactor=there).startService()

        async def story():
            peer = await connect(here, "20.9.0.1:8333", config)
            simulation.cut(here, there)
            return await peer.when_lost()

        print(simulation.run(story()))

* `Link`: latency, jitter, bandwidth, bytes that arrive together, window.
* `simulation.run(story)`, `.advance(seconds)`: let time pass.
* `simulation.set_link`, `.cut`, `.partition`, `.heal`: do things to the network.
* `simulation.name("seed.example", "20.9.0.1")`: what host names stand for.
* `host.crash()`, `host.reboot()`: half-open connections.
* `host.client(address, port)`, `host.server(port)`: endpoints.

A `ScriptedPeer` says what it is told and nothing else, here or over real sockets::

    peer = await dial(host, "20.9.0.1:8333", network)  # or Twisted's reactor for a host
    await peer.shake_hands()
    peer.lie(Inv(items), count=50_001)
    await peer.expect_lost()

* `listen(host, "8333", network)`, then ``await door.accept()``: to be dialled instead.
* `send`, `send_bytes`, `lie`, `begin` and `finish`, `answer`: what it says.
* `expect`, `expect_next`, `expect_none`, `expect_lost`, `sync`: what it waits for.
* `stop_reading`, `read_slowly`, `read_on`, `close`, `close_writing`, `abort`.
* `history`, `heard(kind)`: all that was said.
"""

from __future__ import annotations

from bitpeer.testing.frames import NotAFrame, frame
from bitpeer.testing.host import Host
from bitpeer.testing.lane import Link
from bitpeer.testing.meeting import ScriptedDoor, dial, listen
from bitpeer.testing.script import ScriptedPeer
from bitpeer.testing.simulation import FailuresLogged, Simulation, Stuck
from bitpeer.testing.transcript import Entry, Missing

__all__ = [
    "Entry",
    "FailuresLogged",
    "Host",
    "Link",
    "Missing",
    "NotAFrame",
    "ScriptedDoor",
    "ScriptedPeer",
    "Simulation",
    "Stuck",
    "dial",
    "frame",
    "listen",
]
