"""Every callback of the seed documents has its counterpart."""

from dataclasses import replace

import pytest
from zope.interface import implementer

from bitpeer import bitcoin
from bitpeer.bitcoin import REGTEST, Block, BlockHeader, InvVect, Tx, TxIn, TxOut
from bitpeer.config import PeerConfig
from bitpeer.errors import DisconnectReason
from bitpeer.net.interfaces import IPeer, ITrafficListener, IVersionListener
from bitpeer.net.listeners import PeerListener, on
from bitpeer.wire.message import Message, Unknown
from tests.parity.conversation import Conversation, Recorder

HASH = bytes(range(32))
TX = Tx([TxIn(HASH, 0, b"\x51", 0xFFFFFFFF)], [TxOut(1000, b"\x51")])
HEADER = BlockHeader(1, HASH, TX.txid, 1_600_000_000, 0x207FFFFF, 0)
BLOCK = Block(HEADER, [TX])

SAMPLES = {
    "OnGetAddr": bitcoin.GetAddr(),
    "OnAddr": bitcoin.Addr([bitcoin.TimedNetAddress(1, 1, bytes(16), 8333)]),
    "OnPing": bitcoin.Ping(5),
    "OnPong": bitcoin.Pong(5),
    "OnAlert": bitcoin.Alert(b"payload", b"signature"),
    "OnMemPool": bitcoin.MemPool(),
    "OnTx": TX,
    "OnBlock": BLOCK,
    "OnCFilter": bitcoin.CFilter(0, HASH, b"\0"),
    "OnCFHeaders": bitcoin.CFHeaders(0, HASH, HASH, [HASH]),
    "OnCFCheckpt": bitcoin.CFCheckpt(0, HASH, [HASH]),
    "OnInv": bitcoin.Inv([InvVect(1, HASH)]),
    "OnHeaders": bitcoin.Headers([HEADER]),
    "OnNotFound": bitcoin.NotFound([InvVect(1, HASH)]),
    "OnGetData": bitcoin.GetData([InvVect(1, HASH)]),
    "OnGetBlocks": bitcoin.GetBlocks(1, [HASH]),
    "OnGetHeaders": bitcoin.GetHeaders(1, [HASH]),
    "OnGetCFilters": bitcoin.GetCFilters(0, 1, HASH),
    "OnGetCFHeaders": bitcoin.GetCFHeaders(0, 1, HASH),
    "OnGetCFCheckpt": bitcoin.GetCFCheckpt(0, HASH),
    "OnFeeFilter": bitcoin.FeeFilter(1000),
    "OnFilterAdd": bitcoin.FilterAdd(b"element"),
    "OnFilterClear": bitcoin.FilterClear(),
    "OnFilterLoad": bitcoin.FilterLoad(b"\xff", 1, 0, 0),
    "OnMerkleBlock": bitcoin.MerkleBlock(HEADER, 1, [HASH], b"\x01"),
    "OnReject": bitcoin.Reject(b"tx", 0x10, b"no", HASH),
    "OnSendHeaders": bitcoin.SendHeaders(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_listener_hears(name: str) -> None:
    message = SAMPLES[name]
    heard: list[Message] = []

    class Listener(PeerListener):
        @on(type(message))
        def received(self, peer: IPeer, received: Message) -> None:
            heard.append(received)

    talk = Conversation(far_listeners=[Listener()]).carry()
    heard.clear()
    talk.near.send(message)
    talk.carry()
    assert heard == [message]


def test_on_block_gives_the_raw_bytes_too() -> None:
    payloads: list[bytes] = []

    class Listener(PeerListener):
        @on(Block)
        def received(self, peer: IPeer, block: Block) -> None:
            payloads.append(peer.payload)

    talk = Conversation(far_listeners=[Listener()]).carry()
    talk.near.send(BLOCK)
    talk.carry()
    assert payloads == [BLOCK.encode()]


def test_on_version_and_on_verack_are_told_in_order() -> None:
    recorder = Recorder()
    Conversation(far_listeners=[recorder]).carry()
    kinds = [type(message).__name__ for message in recorder.messages[:4]]
    assert kinds == ["Version", "WtxidRelay", "SendAddrV2", "VerAck"]


def test_on_version_may_refuse_with_a_reject() -> None:
    refusal = bitcoin.Reject(b"version", 0x11, b"not today")

    @implementer(IVersionListener)
    class Doorman:
        def version_received(self, peer: IPeer, version: object) -> Message:
            return refusal

    near, far = Recorder(), Recorder()
    talk = Conversation(near_listeners=[near], far_listeners=[Doorman(), far]).carry()
    assert [reason.reason for reason in far.lost] == [DisconnectReason.REFUSED]
    assert not near.established
    assert talk.far_node.lost[DisconnectReason.REFUSED] == 1


@implementer(ITrafficListener)
class Meter:
    def __init__(self) -> None:
        self.read: list[tuple[str, int, object]] = []
        self.written: list[tuple[str, int, object]] = []

    def message_read(self, peer, command, size, message, error) -> None:
        self.read.append((command, size, error))

    def message_written(self, peer, command, size, message, error) -> None:
        self.written.append((command, size, error))


def test_on_read_and_on_write_count_every_byte() -> None:
    near, far = Meter(), Meter()
    talk = Conversation(near_listeners=[near], far_listeners=[far]).carry()
    talk.near.send(bitcoin.GetAddr())
    talk.near.send(Unknown("novelty", b"12345"))
    talk.carry()
    assert near.written == far.read
    assert far.written == near.read
    assert ("novelty", 29, None) in far.read
    assert sum(size for _, size, _ in far.read) == talk.far.bytes_received
    assert sum(size for _, size, _ in far.written) == talk.far.bytes_sent


def test_on_read_tells_of_errors() -> None:
    meter = Meter()
    talk = Conversation(far_listeners=[meter]).carry()
    talk.near.send(Unknown("ping", b"short"))
    talk.carry()
    command, size, error = meter.read[-1]
    assert (command, size) == ("ping", 29)
    assert "needed 8 bytes" in str(error)


def test_on_write_tells_of_errors() -> None:
    meter = Meter()

    class Hasty(PeerListener):
        @on(bitcoin.Alert)
        def received(self, peer: IPeer, ping: Message) -> None:
            peer.send(bitcoin.GetAddr())
            talk.cut()

    talk = Conversation(near_listeners=[meter, Hasty()]).carry()
    talk.far.send(SAMPLES["OnAlert"])
    talk.carry()
    command, _, error = meter.written[-1]
    assert command == "getaddr"
    assert error.reason is DisconnectReason.CONNECTION_BROKEN


def test_unknown_messages_reach_a_listener_as_they_came() -> None:
    recorder = Recorder()
    talk = Conversation(far_listeners=[recorder]).carry()
    talk.near.send(Unknown("novelty", b"12345"))
    talk.carry()
    assert recorder.messages[-1] == Unknown("novelty", b"12345")


@pytest.mark.parametrize("name", ["OnFilterAdd", "OnFilterClear", "OnFilterLoad"])
@pytest.mark.parametrize(("version", "lost"), [(70010, False), (70011, True)])
def test_bloom_commands_without_the_service(name: str, version: int, lost: bool) -> None:
    recorder = Recorder()
    far = PeerConfig(network=REGTEST, services=1, protocol_version=version)
    talk = Conversation(far=far, far_listeners=[recorder]).carry()
    message = SAMPLES[name]
    talk.near.send(Unknown(message.command, message.encode()))
    talk.carry()
    assert not recorder.heard(type(message))
    assert [reason.reason for reason in recorder.lost] == [DisconnectReason.UNWANTED] * lost


def test_private_messages_are_registered_without_touching_ours() -> None:
    from bitpeer.wire.fields import Uint32  # noqa: PLC0415
    from bitpeer.wire.message import message  # noqa: PLC0415

    @message("private")
    class Private(Message):
        number: Uint32

    dialect = replace(REGTEST.dialect, registry=REGTEST.dialect.registry.extended(Private))
    config = PeerConfig(network=replace(REGTEST, dialect=dialect))
    recorder = Recorder()
    talk = Conversation(near=config, far=config, far_listeners=[recorder]).carry()
    talk.near.send(Private(7))
    talk.carry()
    assert recorder.messages[-1] == Private(7)
