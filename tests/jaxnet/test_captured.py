"""What a running jaxnetd sent, understood to the last hash."""

from bitpeer.hashes import hash_to_text
from bitpeer.jaxnet.block import BlockBox
from bitpeer.jaxnet.genesis import beacon_genesis, shard_genesis
from bitpeer.jaxnet.language import review
from bitpeer.jaxnet.messages import PortRedirect, Version
from bitpeer.jaxnet.networks import FASTNET, chain
from bitpeer.jaxnet.trees import MountainRange, branch_root, weight_of
from bitpeer.messages.addresses import NetAddress
from bitpeer.messages.control import Reject, VerAck
from bitpeer.wire.framing import Envelope, Framing
from bitpeer.wire.message import Message
from tests.jaxnet.captured import BEACON, BOX_1, BOX_2, BOX_3, BOX_4, REDIRECT, UNKNOWN_SHARD

ENVELOPE = Envelope(
    FASTNET.magic, FASTNET.dialect.checksum, FASTNET.dialect.registry, FASTNET.dialect.max_payload
)
BOXES = [BlockBox.decode(payload) for payload in (BOX_1, BOX_2, BOX_3, BOX_4)]


def spoken(stream: bytes) -> list[Message]:
    """Return the messages in *stream*, having written them again as they came."""
    messages: list[Message] = []
    for entry, payload, _ in Framing(ENVELOPE, ENVELOPE.limit).feed(stream):
        decoded = entry.decode(payload)
        assert isinstance(decoded, Message)
        messages.append(decoded)
    assert b"".join(b"".join(ENVELOPE.wrap(message)) for message in messages) == stream
    return messages


def test_a_redirection():
    [redirect] = spoken(REDIRECT)
    assert redirect == PortRedirect.of(2, "127.0.0.1", 29402)
    address_in = FASTNET.dialect.redirects[PortRedirect]
    assert address_in(redirect) == NetAddress.of("127.0.0.1", 29402)


def test_a_refusal():
    [reject] = spoken(UNKNOWN_SHARD)
    assert reject == Reject(b"version", 0x10, b"shard with requested ID not found or not supported")


def test_an_introduction():
    version, verack = spoken(BEACON)
    assert isinstance(version, Version)
    assert verack == VerAck()
    assert (version.version, version.services) == (1, 0x4D)
    assert (version.is_beacon, version.shard) == (True, 0)
    assert version.user_agent == b"/jaxnetwire:0.1.0/jaxnetd:1.0.0/"
    assert version.chain_weight == (version.height + 1) * 1227133952
    assert list(review(0, lambda _: None, "", version, None)) == []


def test_a_chain_of_blocks_hangs_together():
    before = beacon_genesis("fastnet")
    whole = MountainRange().appended(before.hash, weight_of(before.header.bits))
    for height, box in enumerate(BOXES, 1):
        header = box.header
        box.check()
        assert header.height == height
        assert header.previous_hash == before.hash
        assert header.previous_mmr_root == whole.root
        assert header.chain_weight == whole.weight
        coinbase = header.btc_aux.coinbase
        assert branch_root(coinbase.tx.txid, coinbase.branch) == header.btc_aux.header.merkle_root
        [spent] = coinbase.tx.inputs
        assert b"\6jaxnet\x20" + header.exclusive_hash + b"\6jaxnet" in spent.script
        whole = whole.appended(box.hash, weight_of(header.bits))
        assert box.mmr_root == whole.root
        assert BlockBox(header, box.transactions, whole.root).encode() == box.encode()
        before = box


def test_shards_spring_from_the_blocks_that_say_so():
    names = []
    for box in BOXES:
        assert box.header.expansion_made == (box is not BOXES[0])
        if box.header.expansion_made:
            shard = box.header.shards
            names.append(hash_to_text(shard_genesis("fastnet", shard, box).hash))
            assert chain(FASTNET, shard, expansion=box).genesis[::-1].hex() == names[-1]
    # As jaxnetd logs them.
    assert names == [
        "81e549caa1840ea5df8ede35305954468bdd87a13c5599316af038187cdc8f65",
        "d4508365983c966fb230425b64956c49eec260642dfee9409f04c453a7490762",
        "979092a4e4b6aa6b1504cea35b7de1cb88e2f9e8969544d5d412f5608de72c82",
    ]
