"""Messages of the reference, byte for byte."""

from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from bitpeer.bitcoin.alert import AlertPayload, alert_payload
from bitpeer.bitcoin.transaction import Tx
from bitpeer.errors import DecodeError, LimitExceeded, Truncated, Unencodable
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.jaxnet.block import Block, BlockBox, Headers, MerkleBlock, RootedHeader
from bitpeer.jaxnet.language import REGISTRY
from bitpeer.jaxnet.messages import (
    MAX_EADS_SIZE,
    Addr,
    EadAddress,
    EAddresses,
    EadIp,
    EadPlace,
    GetAddr,
    PortRedirect,
    ShardAddress,
    Version,
)
from bitpeer.messages.addresses import NOWHERE, NetAddress, TimedNetAddress, pack_ip
from bitpeer.messages.bloom import FilterAdd, FilterClear, FilterLoad
from bitpeer.messages.control import (
    Alert,
    FeeFilter,
    MemPool,
    Ping,
    Pong,
    Reject,
    RejectCode,
    SendHeaders,
    VerAck,
)
from bitpeer.messages.filters import (
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders
from tests.bitcoin.values import HASH, transactions, uint
from tests.jaxnet import vectors
from tests.jaxnet.values import ANY_HEADER
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

UP, DOWN = bytes(range(32)), bytes(range(255, 223, -1))
NOON = 1645132389
LOCATOR = (
    hash_from_text("000000000002e7ad7b9eef9479e4aabc65cb831269cc20d2632c13684406dee0"),
    hash_from_text("000000000002710f40c87ec93d010a6fd95f42c59a2cbacc60b18cf6b7957535"),
)
STOP = hash_from_text("000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506")
ITEMS = (
    InvVect(2, hash_from_text("00000000000003264bc2ac36a60840790ba1d475d01367e7c723da941069e9dc")),
    InvVect(1, hash_from_text("d28a3dc7392bf00a9855ee93dd9a81eff82a2c4fe57fbd42cfe71b487accfaf0")),
)


def timed(time, services, host, port):
    return TimedNetAddress(time, services, pack_ip(host), port)


def payload(frame):
    """Return what a whole message of the fact sheet has behind its header."""
    assert len(frame) == 24 + int.from_bytes(frame[16:20], "little")
    return frame[24:]


VER1 = Version(
    version=70001,
    services=1,
    time=0x495FAB29,
    is_beacon=False,
    shard=0,
    receiver=NetAddress.of("192.168.0.1", 8333, 1),
    sender=NetAddress.of("127.0.0.1", 8333, 1),
    nonce=123123,
    user_agent=b"/jaxnetd:0.0.1/",
    height=234234,
    chain_weight=1,
    relay=True,
)
VER2 = Version(
    version=1,
    services=9,
    time=NOON,
    is_beacon=True,
    shard=0,
    receiver=NetAddress.of("203.0.113.7", 8444),
    sender=NetAddress(9, bytes(16), 0),
    nonce=0x0102030405060708,
    user_agent=b"/jaxnetwire:0.1.0/jaxnetd:1.0.0/",
    height=1234,
    chain_weight=0x123456789ABC,
    relay=True,
)
VER3 = replace(
    VER2,
    services=0x4D,
    is_beacon=False,
    shard=3,
    user_agent=b"/x:1/",
    height=7,
    chain_weight=0,
    relay=False,
)
EADS = EAddresses(
    123,
    bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    (
        EadAddress(
            NOON,
            43,
            hash_from_text("3368d7faaaa40086cf7c442a107db9959f340cb67e28b14d759a37fd945592d4"),
            28023,
            1,
            EadPlace(False, pack_ip("127.0.2.42")),
        ),
        EadAddress(
            NOON,
            2,
            hash_from_text("3368d7faaaa40086cf7c442a107db9959f340cb67e28b14d759a37fd945592d4"),
            28024,
            3,
            EadPlace(True, b"agent.example"),
        ),
    ),
)
ADDR2 = Addr(
    (timed(NOON, 9, "1.2.3.4", 8444),),
    (ShardAddress(300, NOON + 1, 1, pack_ip("5.6.7.8"), 18446),),
)

EXAMPLES = [
    ("VER1", VER1, vectors.VER1),
    ("VER2", VER2, payload(vectors.VER2)),
    ("VER3", VER3, payload(vectors.VER3)),
    ("ACK", VerAck(), payload(vectors.ACK)),
    ("PING", Ping(0x0102030405060708), payload(vectors.PING)),
    ("PING-pong", Pong(0x0102030405060708), payload(vectors.PING)),
    ("GADDR", GetAddr(5), payload(vectors.GADDR)),
    ("ADDR0", Addr(()), vectors.ADDR0),
    (
        "ADDR1",
        Addr((timed(0x495FAB29, 1, "127.0.0.1", 8333), timed(0x495FAB29, 1, "192.168.0.1", 8334))),
        vectors.ADDR1,
    ),
    ("ADDR2", ADDR2, vectors.ADDR2),
    ("PORT1", PortRedirect.of(2, "203.0.113.9", 18446), payload(vectors.PORT1)),
    ("PORT2", PortRedirect.of(2, "2001:db8::1", 70000), vectors.PORT2),
    ("GB1", GetBlocks(60002, LOCATOR, STOP), vectors.GB1),
    ("GH1", GetHeaders(60002, LOCATOR, STOP), vectors.GH1),
    ("INV1", Inv(ITEMS), vectors.INV1),
    ("INV1-getdata", GetData(ITEMS), vectors.INV1),
    ("INV1-notfound", NotFound(ITEMS), vectors.INV1),
    ("INV2", Inv((InvVect(0x40000002, UP), InvVect(1, DOWN))), vectors.INV2),
    (
        "REJ1",
        Reject(
            b"block",
            RejectCode.DUPLICATE,
            b"duplicate block",
            hash_from_text("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        ),
        vectors.REJ1,
    ),
    # Quirk: for a blockbox jaxnetd insists on having the hash, and does not send it.
    ("REJ2", Reject(b"blockbox", RejectCode.INVALID, b"bad"), vectors.REJ2),
    ("ALERT1", Alert(b"some payload", b"somesig"), vectors.ALERT1),
    ("FEE", FeeFilter(20000), vectors.FEE),
    ("FLOAD", FilterLoad(b"\1\2\3", 10, 0x55, 1), vectors.FLOAD),
    ("FLOAD-add", FilterAdd(b"\1\2\3"), b"\3\1\2\3"),
    ("FLOAD-clear", FilterClear(), b""),
    ("CF1", GetCFilters(0, 0x01020304, UP), vectors.CF1),
    ("CF1-headers", GetCFHeaders(0, 0x01020304, UP), vectors.CF1),
    ("CF2", GetCFCheckpt(0, UP), vectors.CF2),
    ("CF3", CFilter(0, UP, b"payload"), vectors.CF3),
    ("CF4", CFHeaders(0, UP, DOWN, (UP,)), vectors.CF4),
    ("CF5", CFCheckpt(0, UP, (DOWN,)), vectors.CF5),
    ("EAD1", EADS, payload(vectors.EAD1)),
    ("EAD1-ip", EadIp(EADS.addresses[0]), EADS.addresses[0].encode()),
    ("EAD1-url", EadIp(EADS.addresses[1]), EADS.addresses[1].encode()),
    ("MEMPOOL", MemPool(), b""),
    ("SENDHEADERS", SendHeaders(), b""),
]

examples = pytest.mark.parametrize(
    ("message", "raw"),
    [each[1:] for each in EXAMPLES],
    ids=[each[0] for each in EXAMPLES],
)


@examples
def test_messages_of_the_reference(message, raw):
    has_exactly(message, raw.hex())
    assert REGISTRY.decode(message.command, raw) == message


def complete_at(message, raw):
    """Return the sizes at which older peers may end such a message."""
    if isinstance(message, Version):
        height_at = 85 + 1 + len(message.user_agent)
        return (51, 77, 85, height_at, height_at + 4, len(raw) - 1)
    if isinstance(message, Reject):
        return tuple(range(len(raw) - len(message.extra), len(raw)))
    return ()


@examples
def test_every_truncation_is_refused(message, raw):
    refuses_every_truncation(message, raw.hex(), complete=complete_at(message, raw))


@pytest.mark.parametrize("message", [GetAddr(5), ADDR2, EADS, PortRedirect.of(1, "::1", 1)])
def test_nothing_may_follow(message):
    refuses_trailing_bytes(message, message.encode().hex())


def test_addresses_of_the_reference():
    assert (
        timed(1231006505, 1, "127.0.0.1", 8333).__packing__.pack(
            timed(1231006505, 1, "127.0.0.1", 8333)
        )
        == vectors.NA1
    )
    assert NetAddress.of("127.0.0.1", 8333, 1).encode() == vectors.NA2
    assert NetAddress.read(vectors.NA2) == (NetAddress.of("127.0.0.1", 8333, 1), 26)
    assert Addr.decode(b"\1" + vectors.NA1 + b"\0").addresses[0] == timed(
        1231006505, 1, "127.0.0.1", 8333
    )


def test_transactions_of_the_reference():
    plain, witnessed = Tx.decode(vectors.TX1), Tx.decode(vectors.TX2)
    assert (plain.encode(), witnessed.encode()) == (vectors.TX1, vectors.TX2)
    assert hash_to_text(plain.txid) == (
        "0100d15a522ff38de05c164ca0a56379a1b77dd1e4805a6534dc9b3d88290e9d"
    )
    assert plain.wtxid == plain.txid
    assert hash_to_text(witnessed.txid) == (
        "0f167d1385a84d1518cfee208b653fc9163b605ccf1b75347e2850b3e2eb19f3"
    )
    assert hash_to_text(witnessed.wtxid) == (
        "0858eab78e77b6b033da30f46699996396cf48fcf625a783c85a51403e175e74"
    )


def test_an_alert_of_the_reference():
    alert = AlertPayload(
        version=1,
        relay_until=1337093712,
        expiration=1368628812,
        id=1015,
        cancel=1013,
        cancels=(1014,),
        min_version=0,
        max_version=40599,
        user_agents=(b"/Satoshi:0.7.2/",),
        priority=5000,
        comment=b"",
        status_bar=b"URGENT",
        reserved=b"",
    )
    assert alert.encode() == vectors.ALERT2
    assert alert_payload(Alert(vectors.ALERT2, b"")) == alert


def test_a_bitcoin_version_is_none():
    with pytest.raises(DecodeError):
        Version.decode(bytes.fromhex("71110100") + bytes(8 + 8 + 26))


def test_older_peers_may_leave_fields_off_the_end():
    raw = VER2.encode()
    version = Version.decode(raw[:51])
    assert version.receiver == VER2.receiver
    assert (version.sender, version.nonce, version.user_agent) == (NOWHERE, 1, b"")
    assert (version.height, version.chain_weight, version.relay) == (-1, 0, True)


def test_any_number_but_zero_makes_a_beacon():
    raw = VER3.encode()
    assert Version.decode(raw[:20] + b"\7" + raw[21:]).is_beacon is True


def test_quirk_a_negative_protocol_version_is_a_high_one():
    assert Version.decode(b"\xff\xff\xff\xff" + VER2.encode()[4:]).version == 2**32 - 1


def test_what_newer_versions_put_behind_is_kept():
    raw = VER2.encode() + b"future"
    assert Version.decode(raw).extra == b"future"
    assert Version.decode(raw).encode() == raw


def test_getaddr_asks_for_no_shard_in_particular():
    assert GetAddr().encode() == bytes(4)
    with pytest.raises(Truncated):
        GetAddr.decode(b"")


def test_a_bitcoin_addr_is_none():
    with pytest.raises(Truncated):
        Addr.decode(b"\1" + vectors.NA1)


def test_addresses_are_shown_as_people_write_them():
    assert ADDR2.shards[0].host == "5.6.7.8"
    redirect = PortRedirect.decode(vectors.PORT2)
    assert (redirect.shard, redirect.host, redirect.port) == (2, "2001:db8::1", 70000)
    with pytest.raises(ValueError, match="localhost"):
        PortRedirect.of(1, "localhost", 1)


@pytest.mark.parametrize(
    "place",
    [EadPlace(False, b"short"), EadPlace(False, bytes(17)), EadPlace(True, bytes(257))],
)
def test_places_that_do_not_fit_cannot_be_written(place):
    with pytest.raises(Unencodable):
        replace(EADS.addresses[0], place=place).encode()


def test_an_url_may_not_be_longer_than_the_limit():
    longest = EadIp(replace(EADS.addresses[0], place=EadPlace(True, b"x" * 256)))
    raw = longest.encode()
    assert EadIp.decode(raw) == longest
    assert len(raw) == EadIp.max_size
    with pytest.raises(LimitExceeded):
        EadIp.decode(raw.replace(b"\xfd\x00\x01", b"\xfd\x01\x01x"))


def test_agents_may_not_have_more_addresses_than_fit():
    one = replace(EADS.addresses[0], place=EadPlace(True, bytes(256)))
    many = replace(EADS, addresses=(one,) * 5000)
    with pytest.raises(Unencodable, match="limit"):
        many.encode()
    assert EAddresses.max_size == MAX_EADS_SIZE


UINT32, UINT64 = uint(32), uint(64)
IP = st.binary(min_size=16, max_size=16)
NET_ADDRESS = st.builds(NetAddress, UINT64, IP, uint(16))
PLACE = st.builds(EadPlace, st.just(False), IP) | st.builds(
    EadPlace, st.just(True), st.binary(max_size=256)
)
EAD = st.builds(EadAddress, UINT32, UINT32, HASH, UINT32, UINT64, PLACE)
RANDOM = st.one_of(
    st.builds(
        Version,
        UINT32,
        UINT64,
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.booleans(),
        UINT32,
        NET_ADDRESS,
        NET_ADDRESS,
        UINT64,
        st.binary(max_size=256),
        st.integers(-(1 << 31), (1 << 31) - 1),
        uint(300),
        st.booleans(),
        st.binary(max_size=40),
    ),
    st.builds(
        Addr,
        st.lists(st.builds(TimedNetAddress, UINT32, UINT64, IP, uint(16)), max_size=4).map(tuple),
        st.lists(st.builds(ShardAddress, UINT64, UINT32, UINT64, IP, uint(16)), max_size=4).map(
            tuple
        ),
    ),
    st.builds(PortRedirect, UINT32, UINT32, IP),
    st.builds(EAddresses, UINT64, st.binary(max_size=130), st.lists(EAD, max_size=4).map(tuple)),
    st.builds(EadIp, EAD),
    st.builds(Block, ANY_HEADER, st.lists(transactions(), max_size=2)),
    st.builds(BlockBox, ANY_HEADER, st.lists(transactions(), max_size=2), HASH),
    st.builds(Headers, st.lists(st.builds(RootedHeader, HASH, ANY_HEADER), max_size=2).map(tuple)),
    st.builds(MerkleBlock, ANY_HEADER, UINT32, st.lists(HASH, max_size=3).map(tuple), st.binary()),
)


@given(RANDOM)
@settings(max_examples=150)
def test_every_message_comes_back(message):
    raw = message.encode()
    again = REGISTRY.decode(message.command, raw)
    assert again == message
    assert again.encode() == raw
    assert type(message).min_size <= len(raw) <= type(message).max_size


@given(RANDOM, st.data())
@settings(max_examples=300)
def test_damaged_bytes_are_refused_or_written_as_they_came(message, data):
    raw = message.encode()
    start = data.draw(st.integers(0, len(raw)), "start")
    stop = data.draw(st.integers(start, min(len(raw), start + 9)), "stop")
    raw = raw[:start] + data.draw(st.binary(max_size=9), "instead") + raw[stop:]
    try:
        again = REGISTRY.decode(message.command, raw)
        if isinstance(again, Block):
            again.txids()
    except DecodeError:
        return
    rewritten = REGISTRY.decode(message.command, again.encode())
    assert rewritten.encode() == again.encode()
    assert rewritten == again
