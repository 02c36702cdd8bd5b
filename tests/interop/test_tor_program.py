"""`twistd bitpeer` as its users start it, with Tor."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from bitpeer import LocalNode, PeerConfig, PeerFactory
from bitpeer.bitcoin import REGTEST
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.our_side import Ears, Met
from tests.interop.program import Program

LISTENING = r"listening on ([a-z2-7]{56}\.onion):18444"


@pytest.fixture
def run(tmp_path):
    """Start programs, each with a data directory of its own, which the end of the test kills."""
    programs = []

    def run(name, client, *options):
        folder = tmp_path / name
        tor = ["--tor-control", str(client.control_port), "--data-dir", str(folder / "data")]
        programs.append(Program(folder, client.places, *tor, *options))
        return programs[-1]

    yield run
    for program in programs:
        pytest_twisted.blockon(within(PATIENCE, program.stop("KILL")))


async def ended_well(*programs):
    for program in programs:
        assert await within(PATIENCE, program.stop()) == 0, program.said
        assert program.transgressions == ""
        assert "Traceback" not in program.said, program.said


@pytest_twisted.ensureDeferred
async def test_two_programs_meet_over_an_onion_service(tor_client, other_tor_client, run):
    host = run("host", tor_client, "--listen", "onion:18444")
    name = (await within(PATIENCE, host.says(LISTENING)))[1]
    guest = run("guest", other_tor_client, "--connect", f"tcp:{name}:18444")
    await within(2 * PATIENCE, guest.says(rf"{name}:18444 \(outbound\) established"))
    await within(PATIENCE, host.says(r"\(inbound\) established: /bitpeer:"))
    await ended_well(guest, host)


@pytest_twisted.ensureDeferred
async def test_name_of_the_onion_service_outlasts_the_program(tor_client, run):
    names = set()
    for _ in range(2):
        program = run("host", tor_client, "--onion-service")
        names.add((await within(PATIENCE, program.says(LISTENING)))[1])
        await ended_well(program)
    assert len(names) == 1


@pytest_twisted.ensureDeferred
async def test_program_dials_an_ip_address_through_an_exit(tor_client, run):
    ears = Ears()
    node = LocalNode(PeerConfig(network=REGTEST), [ears], clock=reactor)
    port = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface="127.0.0.1")
    try:
        met = within(PATIENCE, ears.next(Met))
        place = f"127.0.0.1:{port.getHost().port}"
        program = run("guest", tor_client, "--connect", place)
        assert (await met).peer.inbound
        await within(PATIENCE, program.says(rf"{place} \(outbound\) established"))
        await ended_well(program)
    finally:
        await within(PATIENCE, node.disconnect_all())
        await within(PATIENCE, port.stopListening())


@pytest_twisted.ensureDeferred
async def test_program_without_tor_says_so_and_waits_for_one(tor_network, mortal_tor_client, run):
    client = mortal_tor_client
    client.end()
    program = run("guest", client, "--connect", "127.0.0.1:1")
    said = rf"without Tor: 127.0.0.1:{client.control_port}: nobody listens there"
    await within(PATIENCE, program.says(said))
    await within(PATIENCE, deferToThread(tor_network.restart, client))
    await within(PATIENCE, program.says("Tor is up"))
    await ended_well(program)
