"""Bitcoin peers on the stage, to be asked for things."""

from twisted.internet.defer import Deferred

from bitpeer.bitcoin import (
    REGTEST,
    Block,
    BlockHeader,
    GetData,
    InvType,
    InvVect,
    NotFound,
    Services,
    Tx,
    VerAck,
    Version,
)
from bitpeer.messages.addresses import NOWHERE
from bitpeer.net.protocol import PeerProtocol
from tests.bitcoin.vectors import GENESIS
from tests.net.stage import NOON, SocketTransport, join, node as any_node

FULL = Services.NETWORK | Services.WITNESS | Services.COMPACT_FILTERS | Services.BLOOM
COINBASE = Block.decode(GENESIS["regtest"].raw).transactions[0]


def node(*listeners, **settings):
    """A node on Bitcoin's regtest."""
    return any_node(*listeners, **{"network": REGTEST, "preferences": (), **settings})


def frame(*messages) -> bytes:
    """Messages as a Bitcoin peer would send them."""
    checksum = REGTEST.dialect.checksum
    data = b""
    for each in messages:
        payload = each.encode()
        size = len(payload).to_bytes(4, "little")
        head = REGTEST.magic + each.command.encode().ljust(12, b"\0")
        data += head + size + checksum(payload)[:4] + payload
    return data


def meet(stage, services: int = FULL, version: int = 70016) -> PeerProtocol:
    """A peer that offers *services*, dialled, the handshake and the first ping behind it."""
    peer = join(stage, SocketTransport(), outbound=True)
    hello = Version(version, services, int(NOON), NOWHERE, NOWHERE, 99 + peer.id, b"/x:1/", 0, True)
    peer.dataReceived(frame(hello, VerAck()))
    assert peer.established
    said(peer)
    return peer


def said(peer) -> list:
    """What was said to *peer* since this was last called."""
    data, peer.transport.kernel.data = peer.transport.kernel.data, b""
    found = []
    while data:
        size = int.from_bytes(data[16:20], "little")
        command = data[4:16].rstrip(b"\0").decode()
        found.append(REGTEST.dialect.registry.decode(command, data[24 : 24 + size]))
        data = data[24 + size :]
    return found


def say(peer, *messages) -> None:
    """Let *peer* say something."""
    peer.dataReceived(frame(*messages))


def hang_up(peer) -> None:
    """Let *peer* close the connection."""
    peer.transport.lose()


def make_block(number: int, transactions: int = 1) -> Block:
    """A block like no other."""
    return Block(BlockHeader(1, bytes(32), bytes(32), number, 0, 0), [COINBASE] * transactions)


def make_tx(number: int) -> Tx:
    """A transaction like no other."""
    return Tx(COINBASE.inputs, COINBASE.outputs, lock_time=number)


def wanted(peer) -> list[bytes]:
    """The hashes that *peer* was asked for since this was last called."""
    return [item.hash for each in said(peer) if type(each) is GetData for item in each.items]


def not_found(*names: bytes) -> NotFound:
    return NotFound(tuple(InvVect(InvType.WITNESS_BLOCK, name) for name in names))


class Result:
    """What became of a Deferred."""

    def __init__(self, deferred: Deferred) -> None:
        self.deferred = deferred
        self.found: list = []
        deferred.addCallbacks(self.found.append, lambda failure: self.found.append(failure.value))

    @property
    def value(self):
        [value] = self.found
        return value

    @property
    def pending(self) -> bool:
        return not self.found
