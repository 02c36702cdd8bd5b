"""What users start: the service, the program, and a script of a few lines."""

import os
import signal
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol

from bitpeer import IPeer, PeerConfig, PeerListener, on, peer_service
from bitpeer.bitcoin import (
    REGTEST,
    Block,
    GetData,
    Headers,
    InvType,
    InvVect,
    Services,
    hash_to_text,
)
from bitpeer.errors import DisconnectReason
from bitpeer.service.listening import Listening
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.bcoin_package import PROJECT
from tests.interop.our_side import Ears, Lost, Met


class Reader(PeerListener):
    """Fetches each new block and reads what is in it; as the README would have it."""

    def __init__(self):
        self.transactions = Deferred()

    @on(Headers)
    def blocks_announced(self, peer: IPeer, headers: Headers) -> None:
        peer.send(GetData([InvVect(InvType.WITNESS_BLOCK, hash_) for hash_ in headers.hashes()]))

    @on(Block)
    def block_received(self, peer: IPeer, block: Block) -> None:
        self.transactions.callback([hash_to_text(txid) for txid in block.txids()])


@pytest.fixture
def start():
    """Start a service; the test may stop it, and otherwise its end does."""
    services = []

    def start(service):
        services.append(service)
        service.startService()
        return service

    yield start
    for service in services:
        if service.running:
            pytest_twisted.blockon(within(PATIENCE, service.stopService()))


@pytest_twisted.ensureDeferred
async def test_program_of_a_few_lines_reads_the_transactions_of_the_next_block(bcoin, start):
    reader = Reader()
    config = PeerConfig(network=REGTEST)
    place = f"127.0.0.1:{bcoin.port}"
    ready = within(PATIENCE, bcoin.event("message", command="sendheaders"))
    start(peer_service(config, [reader], connect=[place], reactor=reactor))
    await ready
    payment = await bcoin.payment("segwit")
    accepted = within(PATIENCE, bcoin.event("tx"))
    await bcoin.send_raw_transaction(payment)
    txid = bytes.fromhex((await accepted)["txid"])
    await bcoin.generate()
    assert hash_to_text(txid) in (await within(PATIENCE, reader.transactions))[1:]


@pytest_twisted.ensureDeferred
async def test_service_dials_a_node_again_that_was_restarted(start_bcoin, start):
    node = await start_bcoin()
    ears = Ears()
    config = PeerConfig(network=REGTEST)
    place = f"127.0.0.1:{node.port}"
    met = within(PATIENCE, ears.next(Met))
    service = start(peer_service(config, [ears], connect=[place], reactor=reactor))
    await met
    lost = within(PATIENCE, ears.next(Lost))
    met = within(PATIENCE, ears.next(Met))
    await node.stop()
    assert (await lost).reason.reason is DisconnectReason.CLOSED_BY_PEER
    await within(PATIENCE, node.start())
    await met
    closed = within(PATIENCE, node.event("peer close"))
    lost = within(PATIENCE, ears.next(Lost))
    await within(PATIENCE, service.stopService())
    assert (await lost).reason.reason is DisconnectReason.CLOSED_HERE
    assert (await closed)["established"]


@pytest_twisted.ensureDeferred
async def test_service_is_dialled_by_one_node_while_it_dials_another(bcoin, start_bcoin, start):
    ears = Ears()
    config = PeerConfig(network=REGTEST, services=Services.NETWORK | Services.WITNESS)
    met = within(PATIENCE, ears.next(Met))
    service = start(
        peer_service(
            config,
            [ears],
            connect=[f"tcp:127.0.0.1:{bcoin.port}"],
            listen=["tcp:0:interface=127.0.0.1"],
            reactor=reactor,
        )
    )
    outbound = (await met).peer
    (door,) = [each for each in service if isinstance(each, Listening)]
    other = await start_bcoin()
    met = within(PATIENCE, ears.next(Met))
    await other.add_peer(*door.address)
    inbound = (await met).peer
    assert (outbound.inbound, inbound.inbound) == (False, True)
    assert {outbound.id, inbound.id} == {1, 2}
    await within(PATIENCE, service.stopService())
    assert {lost.peer for lost in ears.heard(Lost)} == {outbound, inbound}


class Program(ProcessProtocol):
    """`twistd bitpeer`, in a process of its own."""

    def __init__(self):
        self.said = b""
        self.ended = Deferred()

    def childDataReceived(self, fd, data):  # noqa: N802
        self.said += data

    def processEnded(self, reason):  # noqa: N802
        self.ended.callback(reason.value.exitCode)


@pytest_twisted.ensureDeferred
async def test_twistd_joins_a_real_node_and_leaves_it_when_told_to(bcoin):
    twistd = str(Path(sys.executable).with_name("twistd"))
    options = ["--network", "regtest", "--connect", f"127.0.0.1:{bcoin.port}", "--log-level=debug"]
    options += ["--data-dir", "memory"]
    program = Program()
    opened = within(PATIENCE, bcoin.event("peer open"))
    process = reactor.spawnProcess(
        program,
        twistd,
        [twistd, "--nodaemon", "--pidfile=", "bitpeer", *options, "--user-agent=interop:1"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        path=str(PROJECT),
    )
    try:
        assert (await opened)["user_agent"] == "/interop:1/"
        closed = within(PATIENCE, bcoin.event("peer close", user_agent="/interop:1/"))
        process.signalProcess(signal.SIGTERM)
        assert await within(PATIENCE, program.ended) == 0
        assert (await closed)["established"]
        assert b"/bcoin:v1.0.2/" in program.said
    finally:
        if process.pid is not None:
            process.signalProcess(signal.SIGKILL)
