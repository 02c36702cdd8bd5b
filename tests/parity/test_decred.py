"""What only Decred's peers say, and what one listener hears of Bitcoin's and Decred's alike."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bitpeer import IPeer, PeerConfig, PeerListener, bitcoin, decred, on
from bitpeer.messages.inventory import Inv, InvVect
from bitpeer.wire.message import Message
from tests.parity.conversation import Conversation, Recorder

PACKAGE = Path(__file__).parents[2] / "bitpeer"
# As nodes spoke it until 2020, when the state of mining became the initial state.
CLASSIC = replace(decred.SIMNET, dialect=replace(decred.DIALECT, min_version=1, protocol_version=7))
SAMPLES: dict[str, Message] = {
    "OnGetMiningState": decred.GetMiningState(),
    "OnMiningState": decred.MiningState(1, 123456, (b"b" * 32,), (b"v" * 32,)),
    "OnReject": decred.Reject(b"tx", 0x10, b"no"),
}


def conversation(network: Any, *listeners: object) -> Conversation:
    """Return two peers that have met."""
    config = PeerConfig(network=network, services=1)
    return Conversation(near=config, far=config, far_listeners=listeners).carry()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_listener_hears(name: str) -> None:
    message = SAMPLES[name]
    heard: list[Message] = []

    class Listener(PeerListener):
        @on(type(message))
        def received(self, peer: IPeer, received: Message) -> None:
            heard.append(received)

    talk = conversation(CLASSIC, Listener())
    talk.near.send(message)
    talk.carry()
    assert heard == [message]


def test_one_listener_hears_bitcoin_and_decred_alike() -> None:
    heard: list[tuple[str, Inv]] = []

    class Listener(PeerListener):
        @on(Inv)
        def announced(self, peer: IPeer, inv: Inv) -> None:
            heard.append((peer.version.user_agent.decode(), inv))

    listener, inv = Listener(), Inv((InvVect(2, b"h" * 32),))
    for network in (bitcoin.REGTEST, decred.SIMNET):
        talk = conversation(network, listener)
        talk.near.send(inv)
        talk.carry()
    assert heard == [("/bitpeer:0.1.0/", inv)] * 2


def test_addresses_go_out_as_the_version_has_them() -> None:
    address = decred.NodeAddress.of("192.0.2.1", 9108, 1, 1_700_000_000)
    for version, kind in ((12, decred.AddrV2), (11, decred.Addr)):
        heard: list[Message] = []

        class Listener(PeerListener):
            def message_received(
                self, peer: IPeer, message: Any, heard: list[Message] = heard
            ) -> None:
                heard.append(message)

        config = PeerConfig(network=decred.SIMNET, services=1, protocol_version=version)
        talk = Conversation(near=config, far=config, far_listeners=[Listener()]).carry()
        assert talk.near.push_addresses([address]) == [address]
        talk.carry()
        assert type(heard[-1]) is kind


def test_peers_keep_the_pace_of_dcrd() -> None:
    recorder = Recorder()
    config = PeerConfig(network=decred.SIMNET)
    talk = Conversation(near=config, far=config, far_listeners=[recorder]).carry()
    item = InvVect(1, b"h" * 32)
    talk.near.announce(item)
    talk.pass_time(0.8)
    assert [inv.items for inv in recorder.heard(Inv)] == [(item,)]
    assert talk.near.knows(item)
    talk.pass_time(1_000)
    assert not talk.near.knows(item)
    talk.near.announce(item)
    talk.pass_time(0.8)
    assert len(recorder.heard(Inv)) == 2
    assert len(recorder.heard(decred.Ping)) in range(8, 12)


@pytest.mark.parametrize("floor", ["peer", "net"])
def test_the_machine_has_never_heard_of_it(floor: str) -> None:
    files = [*(PACKAGE / floor).rglob("*.py")]
    assert files
    assert [file.name for file in files if "decred" in file.read_text("utf-8").lower()] == []
