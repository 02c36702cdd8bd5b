"""A private Tor network on 127.0.0.1, of which no packet leaves the machine.

Three directory authorities, which are exits as well, one more relay (with fewer than four
there are no onion services), and as many clients as a test wants.  Every listener is on
127.0.0.1, and so is the source of every connection (`OutboundBindAddress`): the kernel
refuses to carry it anywhere else.  The exits' policy is ``accept *:*`` all the same, as
clients read a summary in which "loopback only" is "nothing"; their resolver is a name server
that is not there.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
AUTHORITIES = 3
RELAYS = 1
PATIENCE = 90.0
"""Seconds in which the network must have come to life; it takes 8 to 20."""
LOOK_PERIOD = 0.1
"""Seconds between two looks at a network that comes to life."""
VOTING_INTERVAL = 10
"""Seconds between two votes of the authorities, the least that they accept."""
DELAY = 2
"""Seconds that they leave each other to send votes, and then signatures."""

EVERYBODY = """
TestingTorNetwork 1
SafeLogging 0
AvoidDiskWrites 1
ShutdownWaitLength 0
ClientUseIPv6 0
"""
RELAY = f"""
Address {HOST}
ContactInfo nobody@example.invalid
SocksPort 0
OutboundBindAddress {HOST}
AssumeReachable 1
ExitRelay 1
ExitPolicy accept *:*
ExitPolicyRejectPrivate 0
ExitPolicyRejectLocalInterfaces 0
ExtendAllowPrivateAddresses 1
ServerDNSDetectHijacking 0
ServerDNSAllowBrokenConfig 1
ServerDNSTestAddresses
"""
AUTHORITY = f"""
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
DirAllowPrivateAddresses 1
AuthDirMaxServersPerAddr 0
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay {DELAY}
TestingV3AuthInitialDistDelay {DELAY}
V3AuthVotingInterval {VOTING_INTERVAL}
V3AuthVoteDelay {DELAY}
V3AuthDistDelay {DELAY}
V3AuthNIntervalsValid 3
TestingAuthDirTimeToLearnReachability 0
TestingMinExitFlagThreshold 0
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
MinMeasuredBWsForAuthToIgnoreAdvertised 100
"""
CLIENT = f"""
OutboundBindAddress {HOST}
ClientRejectInternalAddresses 0
EnforceDistinctSubnets 0
NumCPUs 1
"""


class NoTor(Exception):
    """Tor cannot be had on this machine; the message says what would help."""


class TorNode:
    """One tor process.

    Args:
        folder: for its settings, its state and its log.
        programs: what is run.
        settings: its torrc, but for the folder and the log.
    """

    def __init__(self, folder: Path, programs: Programs, settings: str = "") -> None:
        self.folder = folder
        self.settings = settings
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700)

    @property
    def log(self) -> str:
        """What it has logged."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def ready(self) -> bool:
        """Whether it is in its network, since it was started last."""
        return "Bootstrapped 100%" in self.log

    def start(self) -> None:
        """Start it, with an empty log; it ends with this process, however that ends."""
        (self.folder / "log").unlink(missing_ok=True)
        torrc = self.folder / "torrc"
        torrc.write_text(
            f"{self.settings}\nDataDirectory {self.folder}\n"
            f"Log notice file {self.folder / 'log'}\n__OwningControllerProcess {os.getpid()}\n"
        )
        self._process = subprocess.Popen(
            [self._programs.tor, "--quiet", "-f", str(torrc), "--defaults-torrc", os.devnull],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def check(self) -> None:
        """Raise a `RuntimeError` if it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"tor in {self.folder.name} has ended:\n{self.log[-2000:]}")

    def end(self) -> None:
        """Kill it, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


class TorClient(TorNode):
    """A tor that serves programs on this machine, at ports that stay the same."""

    def __init__(self, folder: Path, programs: Programs, settings: str) -> None:
        self.socks_port, self.control_port = free_ports(2)
        ports = (
            f"SocksPort {HOST}:{self.socks_port}\nControlPort {HOST}:{self.control_port}\n"
            "CookieAuthentication 1\n"
        )
        super().__init__(folder, programs, settings + ports)

    @property
    def places(self) -> list[str]:
        """Where a program may connect to that uses it."""
        return [f"{HOST}:{self.control_port}", f"{HOST}:{self.socks_port}"]


class Programs:
    """The executables.

    Raises:
        NoTor: one of them is not there.
    """

    def __init__(self) -> None:
        self.tor, self.gencert = _find("tor"), _find("tor-gencert")


class TorNetwork:
    """The network.

    Args:
        folder: for all that its nodes write; it must exist.

    Raises:
        NoTor: tor is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.programs = Programs()
        self._folder = folder
        self._everybody = EVERYBODY
        self._authorities = [
            TorNode(folder / f"authority{number}", self.programs) for number in range(AUTHORITIES)
        ]
        self._relays = [
            TorNode(folder / f"relay{number}", self.programs) for number in range(RELAYS)
        ]
        self._directory_ports: list[int] = []
        self._clients: list[TorClient] = []

    def start(self) -> None:
        """Start it; done when every authority knows every relay."""
        servers = [*self._authorities, *self._relays]
        ports = free_ports(len(servers) + AUTHORITIES)
        router_ports, self._directory_ports = ports[: len(servers)], ports[len(servers) :]
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # RSA keys, about 1 s each
            identities = list(pool.map(self._make_keys, self._authorities, self._directory_ports))
        for node, directory, port, identity in zip(
            self._authorities, self._directory_ports, router_ports, identities, strict=False
        ):
            self._everybody += (
                f"DirAuthority {node.folder.name} orport={port} no-v2 v3ident={identity} "
                f"{HOST}:{directory} {self._fingerprint(node, port)}\n"
            )
        resolver = self._folder / "resolv.conf"
        resolver.write_text(f"nameserver {HOST}\n")
        for number, (node, port) in enumerate(zip(servers, router_ports, strict=True)):
            node.settings = (
                f"{self._everybody}{RELAY}Nickname {node.folder.name}\nORPort {HOST}:{port}\n"
                f"ServerDNSResolvConfFile {resolver}\n"
            )
            if number < AUTHORITIES:
                directory = self._directory_ports[number]
                node.settings += f"{AUTHORITY}DirPort {HOST}:{directory}\n"
            node.start()
        # The first consensus is empty, and a client that is started now would stay with it.
        self._wait(lambda: self._consensus_size() == len(servers))

    def start_client(self, name: str) -> TorClient:
        """Start a client; done when it is in the network."""
        client = TorClient(self._folder / name, self.programs, self.client_settings)
        self._clients.append(client)
        self.restart(client)
        return client

    def restart(self, client: TorClient) -> None:
        """Start a client again that was ended; done when it is in the network."""
        client.start()
        self._wait(lambda: client.ready)

    @property
    def client_settings(self) -> str:
        """The torrc of a client, but for its ports."""
        return f"{self._everybody}{CLIENT}"

    def stop(self) -> None:
        """End everybody."""
        for node in self._nodes():
            node.end()

    def read_log(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"{node.folder.name}:\n{node.log[-1500:]}" for node in self._nodes())

    def _nodes(self) -> list[TorNode]:
        return [*self._authorities, *self._relays, *self._clients]

    def _make_keys(self, node: TorNode, directory_port: int) -> str:
        """Make the keys of an authority; return its identity."""
        keys = node.folder / "keys"
        keys.mkdir(mode=0o700)
        order = ["--create-identity-key", "-m", "12", "-a", f"{HOST}:{directory_port}"]
        subprocess.run(
            [self.programs.gencert, *order, "--passphrase-fd", "0"],
            cwd=keys,
            input=b"passphrase\n",
            check=True,
            capture_output=True,
        )
        certificate = (keys / "authority_certificate").read_text()
        found = re.search(r"^fingerprint ([0-9A-F]{40})$", certificate, re.MULTILINE)
        assert found is not None, certificate
        return found[1]

    def _fingerprint(self, node: TorNode, port: int) -> str:
        """Return the fingerprint of a relay; tor wants settings for that, if only for show."""
        settings = {
            "DataDirectory": str(node.folder),
            "ORPort": f"{HOST}:{port}",
            "Nickname": node.folder.name,
            "Address": HOST,
            "SocksPort": "0",
            "TestingTorNetwork": "1",
            "DirAuthority": f"dummy {HOST}:1 {'F' * 40}",
        }
        order = ["--quiet", "--list-fingerprint", "-f", os.devnull, "--ignore-missing-torrc"]
        for name, value in settings.items():
            order += [f"--{name}", value]
        run = subprocess.run(
            [self.programs.tor, *order], check=True, capture_output=True, text=True
        )
        return "".join(run.stdout.split()[1:])

    def _consensus_size(self) -> int:
        """Return how many relays there are by the consensus of the least informed authority."""
        sizes = []
        for port in self._directory_ports:
            url = f"http://{HOST}:{port}/tor/status-vote/current/consensus"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            size = 0
            with suppress(OSError), opener.open(url, timeout=5) as answer:
                size = len(re.findall(rb"^s .*Exit.*Running", answer.read(), re.MULTILINE))
            sizes.append(size)
        return min(sizes)

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not done():
            for node in self._nodes():
                node.check()
            if time.monotonic() > until:
                raise TimeoutError(f"the Tor network does not come to life:\n{self.read_log()}")
            time.sleep(LOOK_PERIOD)


def free_ports(count: int) -> list[int]:
    """Return distinct ports of 127.0.0.1 that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _find(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise NoTor(f"there is no {program}; on Debian: apt-get install tor")
    return path
