"""Every field of the seed documents' configuration, and every promise of their overview."""

import pytest

from bitpeer import bitcoin
from bitpeer.bitcoin import MAINNET, REGTEST
from bitpeer.config import BlockPosition, PeerConfig, user_agent
from bitpeer.errors import DisconnectReason, InvalidSetting
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.net.factory import PeerFactory
from tests.parity.conversation import START, Conversation, Recorder


def greeting(config: PeerConfig) -> bitcoin.Version:
    recorder = Recorder()
    Conversation(near=config, far_listeners=[recorder]).carry()
    [version] = recorder.heard(bitcoin.Version)
    return version


def test_newest_block_reports_the_height() -> None:
    config = PeerConfig(network=REGTEST, newest_block=lambda: BlockPosition(bytes(32), 123))
    assert greeting(config).height == 123


def test_newest_block_may_be_missing() -> None:
    assert greeting(PeerConfig(network=REGTEST)).height == 0


def test_host_to_net_address_makes_the_address() -> None:
    own = NetAddress.of("9.9.9.9", 1, 5)
    config = PeerConfig(network=REGTEST, address_of=lambda *_: own)
    assert greeting(config).receiver == own


def test_proxy_hides_every_address() -> None:
    config = PeerConfig(network=REGTEST, proxied=True)
    talk = Conversation(near=config)
    assert talk.near_node.receiver_address("8.8.8.8", 8333) == NOWHERE
    version = greeting(config)
    assert (version.receiver.ip, version.sender.ip) == (bytes(16), bytes(16))


def test_user_agent_name_version_and_comments() -> None:
    agent = user_agent("peer", "1.0.0", ("first", "second"))
    assert agent == b"/peer:1.0.0(first; second)/"
    assert greeting(PeerConfig(network=REGTEST, user_agent=agent)).user_agent == agent


@pytest.mark.parametrize("bad", ["a/b", "a:b", "(a", "a)"])
def test_user_agent_comments_must_be_legal(bad: str) -> None:
    with pytest.raises(InvalidSetting):
        user_agent(comments=(bad,))


def test_chain_params_must_agree() -> None:
    near, far = Recorder(), Recorder()
    Conversation(
        near=PeerConfig(network=MAINNET), near_listeners=[near], far_listeners=[far]
    ).carry()
    assert far.lost[0].reason is DisconnectReason.WRONG_NETWORK
    assert not near.established


def test_services_are_signalled() -> None:
    assert greeting(PeerConfig(network=REGTEST, services=0x409)).services == 0x409


def test_protocol_version_is_advertised() -> None:
    assert greeting(PeerConfig(network=REGTEST, protocol_version=70015)).version == 70015


def test_max_protocol_version_is_the_default() -> None:
    assert greeting(PeerConfig(network=REGTEST)).version == REGTEST.dialect.protocol_version


def test_min_acceptable_protocol_version() -> None:
    assert REGTEST.dialect.min_version == 60001
    recorder = Recorder()
    old = PeerConfig(network=REGTEST, protocol_version=70014)
    choosy = PeerConfig(network=REGTEST, min_version=70015)
    Conversation(near=old, far=choosy, far_listeners=[recorder]).carry()
    assert recorder.lost[0].reason is DisconnectReason.OBSOLETE


def test_disable_relay_tx() -> None:
    assert greeting(PeerConfig(network=REGTEST, relay=False)).relay is False
    assert greeting(PeerConfig(network=REGTEST)).relay is True


def test_listeners_are_told_one_after_the_other() -> None:
    first, second = Recorder(), Recorder()
    Conversation(far_listeners=[first, second]).carry()
    assert first.messages == second.messages != []


def test_trickle_interval() -> None:
    assert PeerConfig(network=REGTEST).pace.trickle_interval == (10, 10)
    recorder = Recorder()
    config = PeerConfig(network=REGTEST, trickle_interval=2)
    talk = Conversation(near=config, far_listeners=[recorder]).carry()
    talk.near.announce(bitcoin.InvVect(1, bytes(32)))
    talk.pass_time(1.5)
    assert not recorder.heard(bitcoin.Inv)
    talk.pass_time(1)
    assert len(recorder.heard(bitcoin.Inv)) == 1


def test_self_connections_are_detected() -> None:
    recorder = Recorder()
    talk = Conversation(near_listeners=[recorder])
    myself = PeerFactory(talk.near_node, outbound=False).buildProtocol(None)
    talk.far.transport.loseConnection()
    hello = talk.near.transport.value()
    myself.makeConnection(talk.far.transport)
    myself.dataReceived(hello)
    assert myself.snapshot().disconnect_reason is DisconnectReason.SELF_CONNECTION


def test_keep_alive_pings_are_automatic_and_silence_is_noticed() -> None:
    recorder = Recorder()
    talk = Conversation(far_listeners=[recorder]).carry()
    pings = len(recorder.heard(bitcoin.Ping))
    talk.pass_time(140)
    assert len(recorder.heard(bitcoin.Ping)) == pings + 1
    for _ in range(400):
        talk.clock.advance(1)
    assert talk.near.snapshot().disconnect_reason is DisconnectReason.IDLE


def test_negotiation_timeout_is_absolute() -> None:
    talk = Conversation()
    for _ in range(31):
        talk.clock.advance(1)
    assert talk.far.snapshot().disconnect_reason is DisconnectReason.HANDSHAKE_TIMEOUT
    assert talk.clock.seconds() >= START + 30


def test_messages_are_logged_in_summary_and_in_full(capture_log) -> None:
    config = PeerConfig(network=REGTEST, log_messages=True, log_bytes=True)
    Conversation(near=config).carry()
    text = "\n".join(capture_log())
    assert "sent version" in text
    assert "received verack" in text
    assert "00000000  81 11 01 00" in text
    quiet = PeerConfig(network=REGTEST)
    before = len(capture_log())
    Conversation(near=quiet).carry()
    assert all("sent version" not in line for line in capture_log()[before:])
