"""A door that somebody else has opened: systemd, or a load balancer in front of us."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol

from bitpeer.bitcoin import REGTEST
from bitpeer.testing import dial
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.bcoin_package import PROJECT

PASSED = 3
"""The first descriptor that a service manager passes on (sd_listen_fds)."""


class Program(ProcessProtocol):
    """`twistd bitpeer`, which gets a listening socket from its parent."""

    def __init__(self):
        self.said = b""
        self.listening = Deferred()
        self.ended = Deferred()

    def childDataReceived(self, fd, data):  # noqa: N802
        self.said += data
        if b"listening on" in self.said and not self.listening.called:
            self.listening.callback(None)

    def processEnded(self, reason):  # noqa: N802
        self.ended.callback(reason.value.exitCode)


@pytest.fixture
def start(tmp_path):
    """Start the program with a socket that listens already; return it, and the socket's port."""
    processes = []

    def start(place, *options):
        with socket.create_server(("127.0.0.1", 0)) as server:
            # Only the process itself knows its number, which the variable has to tell.
            twistd = Path(sys.executable).with_name("twistd")
            script = f'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=peers exec "{twistd}" "$@"'
            arguments = ["--nodaemon", "--pidfile=", "bitpeer", "--network", "regtest"]
            program = Program()
            process = reactor.spawnProcess(
                program,
                "/bin/sh",
                ["sh", "-c", script, "sh", *arguments, "--listen", place, *options],
                env={**os.environ, "PYTHONPATH": str(PROJECT), "XDG_DATA_HOME": str(tmp_path)},
                path=str(PROJECT),
                childFDs={0: "w", 1: "r", 2: "r", PASSED: server.fileno()},
            )
            processes.append((process, program))
            return process, program, server.getsockname()[1]

    yield start
    for process, program in processes:
        if process.pid is not None:
            process.signalProcess(signal.SIGKILL)
            pytest_twisted.blockon(within(PATIENCE, program.ended))


@pytest_twisted.ensureDeferred
async def test_peers_come_in_by_a_socket_that_systemd_passes_on(start):
    process, program, port = start("systemd:domain=INET:index=0")
    await within(PATIENCE, program.listening)
    peer = await within(PATIENCE, dial(reactor, f"127.0.0.1:{port}", REGTEST))
    await within(PATIENCE, peer.shake_hands())
    process.signalProcess(signal.SIGTERM)
    assert await within(PATIENCE, program.ended) == 0
    assert f"listening on 127.0.0.1:{port}".encode() in program.said


@pytest_twisted.ensureDeferred
async def test_behind_a_load_balancer_limits_are_for_the_hosts_that_it_tells_of(start):
    options = ["--max-per-host", "1"]
    _, program, port = start("haproxy:systemd:domain=INET:index=0", *options)
    await within(PATIENCE, program.listening)
    peers = []
    for host in ("20.1.1.1", "20.1.1.1", "20.2.1.1"):
        peer = await within(PATIENCE, dial(reactor, f"127.0.0.1:{port}", REGTEST))
        peer.send_bytes(f"PROXY TCP4 {host} 127.0.0.1 4711 18444\r\n".encode())
        if peers and host == "20.1.1.1":
            peer.send(peer.introduction())
            await within(PATIENCE, peer.expect_lost())
        else:
            await within(PATIENCE, peer.shake_hands())
            peers.append(peer)
    assert len(peers) == 2
