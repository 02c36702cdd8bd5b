"""The manners of Jax.Network's peers."""

import pytest

from bitpeer import bitcoin
from bitpeer.bitcoin.transaction import Tx
from bitpeer.dialect import Dialect, Greeting
from bitpeer.errors import InvalidSetting, WrongChain
from bitpeer.jaxnet.block import Block, BlockBox, MerkleBlock
from bitpeer.jaxnet.constants import InvType, Services
from bitpeer.jaxnet.header import BeaconHeader
from bitpeer.jaxnet.language import DIALECT, REGISTRY, dialect
from bitpeer.jaxnet.messages import Addr, EadIp, GetAddr, PortRedirect, ShardAddress, Version
from bitpeer.messages.addresses import NetAddress, TimedNetAddress, pack_ip
from bitpeer.messages.bloom import FilterLoad
from bitpeer.messages.control import MemPool, Reject, RejectCode
from bitpeer.messages.filters import (
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inventory import GetData, InvVect, NotFound
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.wire.message import Message
from tests.jaxnet.vectors import HDRS1, TX2

ONE, TWO, THREE = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32

# Every command of the fact sheet's section 4.2.
COMMANDS = (
    "version verack getaddr addr getblocks getheaders inv getdata notfound tx block blockbox "
    "headers merkleblock ping pong alert mempool reject sendheaders feefilter filterload filteradd "
    "filterclear getcfilters getcfheaders getcfcheckpt cfilter cfheaders cfcheckpt portredirect "
    "eaddresses eadip"
)
OWN = "version getaddr addr block blockbox headers merkleblock portredirect eaddresses eadip"

GREETING = Greeting(
    version=1,
    services=9,
    time=1_700_000_000,
    nonce=7,
    user_agent=b"/x:1/",
    height=5,
    work=300,
    relay=False,
    receiver=NetAddress.of("1.2.3.4", 8444),
)
DIALLED = Greeting(version=1, time=0, nonce=1, user_agent=b"", outbound=True)


def version_of(shard: int) -> Version:
    greeting = Greeting(version=1, time=0, nonce=2, user_agent=b"")
    version = dialect(shard).greet(greeting)
    assert isinstance(version, Version)
    return version


def judged(speech: Dialect, shard: int, greeting: Greeting = GREETING) -> tuple[list[Message], str]:
    """Return what is answered to a peer that wants *shard*, and why it is refused."""
    said: list[Message] = []
    try:
        said.extend(speech.review(version_of(shard), greeting))
    except WrongChain as error:
        return said, str(error)
    return said, ""


def test_every_message_is_spoken() -> None:
    assert sorted(kind.command for kind in REGISTRY) == sorted(COMMANDS.split())


def test_messages_that_are_bitcoins_are_the_same_classes() -> None:
    theirs = set(bitcoin.DIALECT.registry)
    own = {kind.command for kind in REGISTRY if kind not in theirs}
    assert own == set(OWN.split())


def test_no_message_may_be_longer_than_jaxnetd_allows_or_we() -> None:
    sizes = {kind.command: kind.max_size for kind in REGISTRY}
    assert sizes["getaddr"] == 4
    assert sizes["portredirect"] == 24
    assert sizes["block"] == sizes["merkleblock"] == sizes["eaddresses"] == 786_432
    assert sizes["blockbox"] == 786_464
    assert sizes["headers"] == 2_049_009
    assert DIALECT.max_payload == 4_000_000


def test_the_greeting_names_the_chain_and_its_weight() -> None:
    for shard in (0, 3):
        assert dialect(shard).greet(GREETING) == Version(
            version=1,
            services=9,
            time=1_700_000_000,
            is_beacon=shard == 0,
            shard=shard,
            receiver=NetAddress.of("1.2.3.4", 8444),
            sender=NetAddress(9, bytes(16), 0),
            nonce=7,
            user_agent=b"/x:1/",
            height=5,
            chain_weight=300,
            relay=False,
        )


def test_peers_of_the_same_chain_are_welcome() -> None:
    assert judged(DIALECT, 0) == ([], "")
    assert judged(dialect(3), 3) == ([], "")


def test_only_the_id_makes_a_beacon() -> None:
    odd = Version(1, 0, 0, False, 0, GREETING.receiver)
    assert list(DIALECT.review(odd, GREETING)) == []


def test_a_peer_that_came_for_another_shard_is_told_its_port() -> None:
    beacon = dialect(ports={2: 18446}.get, address="203.0.113.9")
    assert judged(beacon, 2) == (
        [PortRedirect.of(2, "203.0.113.9", 18446)],
        "the peer wants chain 2, here is chain 0",
    )


def test_a_peer_that_came_for_an_unknown_shard_is_refused() -> None:
    words = [Reject(b"version", RejectCode.INVALID, b"shard is not served here")]
    why = "the peer wants chain 4, here is chain 0"
    assert judged(DIALECT, 4) == (words, why)
    assert judged(dialect(ports={2: 18446}.get, address="203.0.113.9"), 4) == (words, why)


def test_a_peer_that_was_dialled_is_never_redirected() -> None:
    beacon = dialect(ports={2: 18446}.get, address="203.0.113.9")
    assert judged(beacon, 2, DIALLED) == ([], "the peer wants chain 2, here is chain 0")


def test_a_redirection_names_an_address() -> None:
    [(kind, address_in)] = DIALECT.redirects.items()
    assert kind is PortRedirect
    assert address_in(PortRedirect.of(2, "2001:db8::1", 70000)) == NetAddress.of(
        "2001:db8::1", 70000 - 65536
    )


@pytest.mark.parametrize("chain_id", [-1, 1 << 32])
def test_a_chain_has_a_number_of_four_bytes(chain_id: int) -> None:
    with pytest.raises(InvalidSetting, match="chain_id"):
        dialect(chain_id)


@pytest.mark.parametrize("address", [None, "", "localhost"])
def test_who_redirects_must_know_where_to(address: str | None) -> None:
    with pytest.raises(InvalidSetting, match="address"):
        dialect(ports={}.get, address=address)


def test_what_would_crash_jaxnetd_is_not_sent() -> None:
    assert not DIALECT.speaks(GetHeaders, 1)
    assert not DIALECT.speaks(EadIp, 1)
    assert DIALECT.speaks(GetBlocks, 1)
    bold = dialect(allow_get_headers=True)
    assert bold.speaks(GetHeaders, 1)
    assert not bold.speaks(EadIp, 1)


def test_addresses_are_told_without_a_list_by_shard() -> None:
    address = TimedNetAddress(1, 2, pack_ip("8.8.8.8"), 3)
    message = DIALECT.tell([address], lambda _: None)
    assert message == Addr((address,))
    assert message.encode().endswith(b"\0")


def questions(message: Message) -> set[tuple[str, bytes]]:
    return set(DIALECT.questions[type(message)](message))


def answers(message: Message) -> set[tuple[str, bytes]]:
    return set(DIALECT.answers[type(message)](message))


def test_a_getdata_waits_for_objects_whatever_their_form() -> None:
    items = [
        InvVect(InvType.TX, ONE),
        InvVect(InvType.WITNESS_TX, TWO),
        InvVect(InvType.BLOCK, ONE),
        InvVect(InvType.WITNESS_BLOCK, THREE),
        InvVect(InvType.FILTERED_WITNESS_BLOCK, TWO),
        InvVect(InvType.MMR_ROOT, THREE),
    ]
    expected = {("tx", ONE), ("tx", TWO), ("block", ONE), ("block", TWO), ("block", THREE)}
    assert questions(GetData(items)) == expected
    assert answers(NotFound(items)) == expected


def test_every_question_has_an_answer() -> None:
    header, _ = BeaconHeader.read(HDRS1, 33)
    for message in (
        Block(header, []),
        BlockBox(header, [], ONE),
        MerkleBlock(header, 1, (ONE,), b"\1"),
    ):
        assert answers(message) == {("block", header.hash)}
    tx = Tx.decode(TX2)
    assert answers(tx) == {("tx", tx.txid), ("tx", tx.wtxid)}
    assert questions(GetCFilters(0, 5, ONE)) == answers(CFilter(0, ONE, b""))
    assert questions(GetCFHeaders(0, 5, ONE)) == answers(CFHeaders(0, ONE, TWO, ()))
    assert questions(GetCFCheckpt(0, ONE)) == answers(CFCheckpt(0, ONE, ()))


def test_bloom_filters_and_the_mempool_are_only_for_those_who_were_offered_them() -> None:
    for kind in (MemPool, FilterLoad):
        gate = DIALECT.service_gates[kind]
        assert (gate.service, gate.hang_up_from) == (Services.BLOOM, 1)


def test_addresses_that_are_told_can_be_read_and_told_again() -> None:
    plain = TimedNetAddress(1_700_000_000, 1, pack_ip("192.0.2.1"), 8444)
    shards = [ShardAddress(n, 1_700_000_000, 1, pack_ip(f"192.0.2.{n}"), 8500 + n) for n in (1, 2)]
    assert DIALECT.told[Addr](Addr([plain])) == (plain,)
    assert DIALECT.told[Addr](Addr([plain], shards)) == [plain]
    assert dialect(2).told[Addr](Addr([plain], shards)) == [plain, shards[1]]
    assert DIALECT.address("192.0.2.1", 8444, 1, 1_700_000_000) == plain
    with pytest.raises(ValueError, match="onion"):
        DIALECT.address("some.onion", 8444, 1, 1_700_000_000)
    assert DIALECT.get_addresses is GetAddr


def test_everything_that_can_be_asked_for_is_asked_for_in_words_of_the_language() -> None:
    asked = {
        "block": (ONE,),
        "tx": (ONE,),
        "headers": ([ONE], TWO),
        "cfilters": (1, ONE),
        "cfheaders": (1, ONE),
        "cfcheckpt": (ONE,),
        "addresses": (),
        "mempool": (),
    }
    context = {"services": 9, "version": 1, "genesis": THREE, "nonce": 7}
    assert asked.keys() == DIALECT.topics.keys()
    for name, details in asked.items():
        topic = DIALECT.topics[name]
        inquiry = topic.ask(*details, **{each: context[each] for each in topic.arguments})
        assert type(inquiry.messages[0]) is topic.kind
        assert {*map(type, inquiry.messages), *inquiry.answers} <= {*REGISTRY}
        if inquiry.question is not None:
            assert inquiry.answers <= DIALECT.answers.keys()
