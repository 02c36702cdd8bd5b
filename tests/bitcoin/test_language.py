"""The manners of Bitcoin's peers."""

from bitpeer.bitcoin.addrv2 import AddrV2, NodeAddress
from bitpeer.bitcoin.block import Block, MerkleBlock
from bitpeer.bitcoin.compact import CmpctBlock
from bitpeer.bitcoin.constants import WITNESS_FLAG, InvType, Services
from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.language import DIALECT, REGISTRY, announce, greet, welcome
from bitpeer.bitcoin.messages import SendAddrV2, Version, WtxidRelay
from bitpeer.dialect import Greeting
from bitpeer.messages.addresses import NOWHERE, Addr, NetAddress, TimedNetAddress, pack_ip
from bitpeer.messages.bloom import FilterLoad
from bitpeer.messages.control import FeeFilter, GetAddr, MemPool, Ping, SendHeaders
from bitpeer.messages.filters import GetCFilters
from bitpeer.messages.inventory import GetData, InvVect, NotFound
from bitpeer.messages.locator import GetHeaders
from bitpeer.wire.message import Message

ONE, TWO, THREE = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32

# Every command of the fact sheet's section 4.
COMMANDS = (
    "version verack wtxidrelay sendaddrv2 addr addrv2 getaddr sendheaders feefilter sendcmpct "
    "cmpctblock getblocktxn blocktxn inv getdata notfound getblocks getheaders headers block tx "
    "mempool ping pong reject alert filterload filteradd filterclear merkleblock getcfilters "
    "cfilter getcfheaders cfheaders getcfcheckpt cfcheckpt sendtxrcncl reqrecon sketch "
    "reqsketchext reconcildiff feature sendpackages ancpkginfo getpkgtxns pkgtxns"
)


def no_wishes(_: type[Message]) -> Message | None:
    return None


def wants_addrv2(kind: type[Message]) -> Message | None:
    return SendAddrV2() if kind is SendAddrV2 else None


def test_every_message_is_spoken() -> None:
    assert sorted(kind.command for kind in REGISTRY) == sorted(COMMANDS.split())


def test_no_message_may_be_longer_than_the_limit_that_its_fields_set() -> None:
    sizes = {entry.command: entry.max_size for entry in REGISTRY.entries.values()}
    assert sizes["ping"] == 8
    assert sizes["verack"] == 0
    assert sizes["inv"] == 3 + 50_000 * 36
    assert sizes["addr"] == 3 + 1_000 * 30
    assert sizes["getheaders"] == 4 + 1 + 101 * 32 + 32


def test_the_greeting_says_nothing_about_where_we_are() -> None:
    greeting = Greeting(
        version=70016,
        services=9,
        time=1_700_000_000,
        nonce=7,
        user_agent=b"/x:1/",
        height=5,
        relay=False,
        receiver=NetAddress.of("1.2.3.4", 8333),
    )
    assert greet(greeting) == Version(
        version=70016,
        services=9,
        time=1_700_000_000,
        receiver=NetAddress.of("1.2.3.4", 8333),
        sender=NetAddress(9, NOWHERE.ip, 0),
        nonce=7,
        user_agent=b"/x:1/",
        height=5,
        relay=False,
    )


def test_r_f3_golden_bytes_of_a_greeting() -> None:
    payload = greet(
        Greeting(version=70016, time=0, nonce=1, user_agent=b"/bitpeer:0.1.0/")
    ).encode()
    assert payload.hex() == (
        "80110100" + "00" * 8 + "00" * 8 + "00" * 26 + "00" * 26 + "0100000000000000"
        "0f2f626974706565723a302e312e302f" + "00000000" + "01"
    )


def test_features_are_announced_in_order_from_version_70016_on() -> None:
    assert announce(70016) == (WtxidRelay(), SendAddrV2())
    assert announce(70015) == ()


def test_wishes_follow_the_handshake() -> None:
    commands = [(wish.command, wish.encode()) for wish in welcome(70016)]
    assert commands == [("sendheaders", b""), ("sendcmpct", bytes([0, 2, 0, 0, 0, 0, 0, 0, 0]))]


def test_versions_have_the_messages_that_their_documents_gave_them() -> None:
    first = {
        MemPool: 60002,
        NotFound: 70001,
        FilterLoad: 70001,
        SendHeaders: 70012,
        FeeFilter: 70013,
    }
    for kind, version in first.items():
        assert DIALECT.speaks(kind, version)
        assert not DIALECT.speaks(kind, version - 1)
    assert DIALECT.speaks(Ping, 60001)


def questions(message: Message) -> set[tuple[str, bytes]]:
    return set(DIALECT.questions[type(message)](message))


def answers(message: Message) -> set[tuple[str, bytes]]:
    return set(DIALECT.answers[type(message)](message))


def test_a_getdata_waits_for_objects_whatever_their_form() -> None:
    items = [
        InvVect(InvType.TX, ONE),
        InvVect(InvType.WTX, TWO),
        InvVect(InvType.WITNESS_TX, THREE),
        InvVect(InvType.BLOCK, ONE),
        InvVect(InvType.FILTERED_BLOCK | WITNESS_FLAG, TWO),
        InvVect(99, THREE),
    ]
    expected = {("tx", ONE), ("tx", TWO), ("tx", THREE), ("block", ONE), ("block", TWO)}
    assert questions(GetData(items)) == expected
    assert answers(NotFound(items)) == expected


def test_r_c7_getheaders_and_mempool_deserve_no_answer() -> None:
    assert GetHeaders not in DIALECT.questions
    assert MemPool not in DIALECT.questions


def test_filters_are_awaited_up_to_the_last_block() -> None:
    assert questions(GetCFilters(0, 5, ONE)) == {("cfilter", ONE)}


def test_r_c7_every_question_has_an_answer() -> None:
    header = BlockHeader(1, ONE, TWO, 3, 4, 5)
    block = Block(header, [])
    for message in (block, MerkleBlock(header, 1, (ONE,), b"\1"), CmpctBlock(header, 0, (), ())):
        assert ("block", header.hash) in answers(message)
    assert ("blocktxn", header.hash) in answers(block)


def test_bloom_filters_are_only_for_those_who_were_offered_them() -> None:
    gate = DIALECT.service_gates[FilterLoad]
    assert gate.service == Services.BLOOM
    assert gate.hang_up_from == 70011


ONION = NodeAddress.of("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 8333)
CLEAR = NodeAddress.of("8.8.8.8", 8333, 9, 100)
OLD = TimedNetAddress(100, 9, CLEAR.to_addr().ip, 8333)  # type: ignore[union-attr]


def test_addresses_are_told_in_the_form_the_peer_understands() -> None:
    everything = [ONION, CLEAR, OLD]
    assert list(DIALECT.tellable(everything, wants_addrv2)) == everything
    assert DIALECT.tell(everything, wants_addrv2) == AddrV2((ONION, CLEAR, CLEAR))
    assert list(DIALECT.tellable(everything, no_wishes)) == [CLEAR, OLD]
    assert DIALECT.tell(everything, no_wishes) == Addr((OLD, OLD))


def test_a_locator_has_at_most_101_hashes() -> None:
    sizes = {entry.command: entry.max_size for entry in REGISTRY.entries.values()}
    longest = GetHeaders(70016, (ONE,) * 101)
    assert len(longest.encode()) == sizes["getheaders"] == sizes["getblocks"]


def test_addresses_that_are_told_can_be_read_and_told_again() -> None:
    old = TimedNetAddress(1_700_000_000, 9, pack_ip("192.0.2.1"), 8333)
    name = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    onion = NodeAddress.of(name, 8333, 9, 1_700_000_000)
    assert DIALECT.told[Addr](Addr([old])) == (old,)
    assert DIALECT.told[AddrV2](AddrV2((onion,))) == (onion,)
    assert DIALECT.address(onion.host, onion.port, onion.services, onion.time) == onion
    assert DIALECT.get_addresses is GetAddr


def test_everything_that_can_be_asked_for_is_asked_for_in_words_of_the_language() -> None:
    asked = {
        "block": (ONE,),
        "tx": (ONE,),
        "wtx": (ONE,),
        "headers": ([ONE], TWO),
        "cfilters": (1, ONE),
        "cfheaders": (1, ONE),
        "cfcheckpt": (ONE,),
        "addresses": (),
        "mempool": (),
    }
    context = {"services": 9, "version": 70016, "genesis": THREE, "nonce": 7}
    assert asked.keys() == DIALECT.topics.keys()
    for name, details in asked.items():
        topic = DIALECT.topics[name]
        inquiry = topic.ask(*details, **{each: context[each] for each in topic.arguments})
        assert type(inquiry.messages[0]) is topic.kind
        assert {*map(type, inquiry.messages), *inquiry.answers} <= {*REGISTRY}
        if inquiry.question is not None:
            assert inquiry.answers <= DIALECT.answers.keys()


def test_witnesses_are_asked_for_where_there_are_any() -> None:
    for name, plain in (("block", InvType.BLOCK), ("tx", InvType.TX)):
        ask = DIALECT.topics[name].ask
        assert ask(ONE, 0).messages == (GetData((InvVect(plain, ONE),)),)
        kind = plain | WITNESS_FLAG
        assert ask(ONE, Services.WITNESS).messages == (GetData((InvVect(kind, ONE),)),)
