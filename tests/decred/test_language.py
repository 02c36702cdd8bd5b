"""The manners of Decred's peers."""

from dataclasses import replace

import pytest

from bitpeer.decred.addresses import AddrV2, NodeAddress
from bitpeer.decred.block import Block
from bitpeer.decred.filters import CFiltersV2, CFilterV2, GetCFiltersV2
from bitpeer.decred.language import (
    DIALECT,
    MIXING,
    REGISTRY,
    early_messages,
    greet,
    welcome,
)
from bitpeer.decred.messages import GetInitState, InitState, Version
from bitpeer.decred.mixing import MixCiphertexts
from bitpeer.decred.transaction import Tx
from bitpeer.dialect import Greeting
from bitpeer.errors import TrailingBytes
from bitpeer.messages.addresses import NOWHERE, Addr, NetAddress, TimedNetAddress, pack_ip
from bitpeer.messages.control import GetAddr, SendHeaders
from bitpeer.messages.inquiry import Fit
from bitpeer.messages.inventory import GetData, InvVect, NotFound
from tests.decred import vectors
from tests.decred.test_addresses import IPV4, TOR

ONE, TWO, THREE, FOUR = (bytes((at,)) * 32 for at in range(1, 5))

# The catalogue of the fact sheet: command, first version, first version without, longest payload.
CATALOGUE = """
version 0 - 358
verack 0 - 0
getaddr 0 - 0
addr 0 12 30003
addrv2 12 - 51003
ping 0 - 8
pong 0 - 8
inv 0 - 1800003
getdata 0 - 1800003
notfound 0 - 1800003
getblocks 0 - 16039
getheaders 0 - 16039
headers 0 - 362003
block 0 - 1310720
tx 0 - 1310720
mempool 0 - 0
sendheaders 3 - 0
feefilter 5 - 8
getminings 0 8 0
miningstate 0 8 1546
getinitstate 8 - 1057
initstate 8 - 1763
getcfilterv2 7 - 32
cfilterv2 7 - 263210
getcfsv2 11 - 64
cfiltersv2 11 - 26321001
getcfilter 6 7 33
cfilter 6 7 262182
getcfheaders 6 7 16036
cfheaders 6 7 64036
getcftypes 6 7 0
cftypes 6 7 259
mixpairreq 10 - 8476848
mixkeyxchg 10 - 17815
mixcphrtxt 10 - 552584
mixslotres 10 - 17318030
mixfactpoly 10 - 49291
mixdcnet 10 - 20988047
mixconfirm 10 - 1016520
mixsecrets 10 - 70831
reject 0 9 -
alert 0 6 -
filteradd 2 6 523
filterclear 2 6 0
filterload 2 6 36012
merkleblock 0 6 -
"""
ROWS = [line.split() for line in CATALOGUE.split("\n") if line]
# The reference counts 30 bytes for each of two addresses of 26, and too many for the prefix.
SHORTER = {"version": 344}


def no_wishes(_):
    return None


def test_every_message_is_spoken():
    assert sorted(kind.command for kind in REGISTRY) == sorted(row[0] for row in ROWS)


@pytest.mark.parametrize(("command", "since", "until", "size"), ROWS)
def test_versions_have_their_messages_and_messages_their_size(command, since, until, size):
    (kind,) = (kind for kind in REGISTRY if kind.command == command)
    for version in range(20):
        spoken = int(since) <= version and (until == "-" or version < int(until))
        assert DIALECT.speaks(kind, version) == spoken
    (entry,) = (each for each in REGISTRY.entries.values() if each.command == command)
    if size != "-":
        assert entry.max_size == SHORTER.get(command, int(size))
        assert entry.max_size <= int(size)


def test_the_greeting_says_nothing_about_where_we_are():
    greeting = Greeting(
        version=12,
        services=1,
        time=1_700_000_000,
        nonce=7,
        user_agent=b"/x:1/",
        height=5,
        relay=False,
        receiver=NetAddress.of("1.2.3.4", 9108),
    )
    assert greet(greeting) == Version(
        version=12,
        services=1,
        time=1_700_000_000,
        receiver=NetAddress.of("1.2.3.4", 9108),
        sender=NetAddress(1, NOWHERE.ip, 0),
        nonce=7,
        user_agent=b"/x:1/",
        height=5,
        relay=False,
    )


def test_manners():
    assert welcome(12) == (SendHeaders(),)
    assert [early_messages(version) for version in (9, 11, 12, 13)] == [2, 2, 0, 0]
    assert (DIALECT.protocol_version, DIALECT.min_version) == (12, 9)
    assert DIALECT.max_payload == 32 * 1024 * 1024
    assert DIALECT.strict_versions
    assert DIALECT.strict_commands
    assert DIALECT.urgent == {2}


def questions(message):
    return set(DIALECT.questions[type(message)](message))


def answers(message):
    return set(DIALECT.answers[type(message)](message))


ITEMS = (
    InvVect(0, THREE), InvVect(1, ONE), InvVect(2, TWO), InvVect(3, THREE), InvVect(4, FOUR),
)  # fmt: skip


def test_what_is_asked_for_by_hash_is_waited_for_by_hash():
    expected = {("tx", ONE), ("block", TWO), ("mix", FOUR)}
    assert questions(GetData(ITEMS)) == answers(NotFound(ITEMS)) == expected


def test_each_answer_answers_for_itself():
    tx, block = Tx.decode(vectors.ID_TX), Block.decode(vectors.BLOCK)
    assert answers(tx) == {("tx", tx.txid)}
    assert answers(block) == {("block", block.hash)}
    mix = MixCiphertexts(bytes(64), bytes(33), bytes(32), 0, (), ())
    assert answers(mix) == {("mix", mix.hash)}
    assert set(MIXING) < set(DIALECT.answers)


def test_the_state_is_owed_as_such():
    assert questions(GetInitState(())) == answers(InitState((), (), ())) == {("initstate", b"")}


OLD = TimedNetAddress(7, 1, NodeAddress.of("1.2.3.4", 1).to_addr().ip, 9108)


def test_from_version_12_on_addresses_are_told_in_the_new_form():
    everything = [IPV4, TOR, OLD]
    assert DIALECT.tellable(everything, no_wishes, 12) == everything
    new = NodeAddress.of("1.2.3.4", 9108, 1, 7)
    assert DIALECT.tell(everything, no_wishes, 12) == AddrV2((IPV4, TOR, new))


def test_below_version_12_they_are_told_in_the_old_form():
    assert DIALECT.tellable([IPV4, TOR, OLD], no_wishes, 11) == [IPV4, OLD]
    assert DIALECT.tell([IPV4, TOR, OLD], no_wishes, 11) == Addr((IPV4.to_addr(), OLD))


def test_trailing_bytes_are_not_put_up_with():
    version = greet(Greeting(version=12, time=0, nonce=1, user_agent=b""))
    with pytest.raises(TrailingBytes):
        Version.decode(version.encode() + b"\0")
    assert replace(version, relay=False).encode()[-1] == 0


def test_addresses_that_are_told_can_be_read_and_told_again():
    old = TimedNetAddress(1_700_000_000, 1, pack_ip("192.0.2.1"), 9108)
    new = NodeAddress.of("192.0.2.1", 9108, 1, 1_700_000_000)
    assert DIALECT.told[Addr](Addr([old])) == (old,)
    assert DIALECT.told[AddrV2](AddrV2((new,))) == (new,)
    assert DIALECT.address(new.host, new.port, new.services, new.time) == new
    with pytest.raises(ValueError, match="i2p"):
        DIALECT.address("ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", 0, 1, 1)
    assert DIALECT.get_addresses is GetAddr


def test_everything_that_can_be_asked_for_is_asked_for_in_words_of_the_language():
    asked = {
        "block": (ONE,),
        "tx": (ONE,),
        "headers": ([ONE], TWO),
        "cfilters": (ONE, TWO),
        "addresses": (),
        "mempool": (),
    }
    context = {"services": 9, "version": 12, "genesis": THREE, "nonce": 7}
    assert asked.keys() == DIALECT.topics.keys()
    for name, details in asked.items():
        topic = DIALECT.topics[name]
        inquiry = topic.ask(*details, **{each: context[each] for each in topic.arguments})
        assert type(inquiry.messages[0]) is topic.kind
        assert {*map(type, inquiry.messages), *inquiry.answers} <= {*REGISTRY}
        if inquiry.question is not None:
            assert inquiry.answers <= DIALECT.answers.keys()


def test_filters_are_those_from_the_first_block_to_the_last():
    inquiry = DIALECT.topics["cfilters"].ask(ONE, TWO)
    assert inquiry.messages == (GetCFiltersV2(ONE, TWO),)
    first, last = (CFilterV2(name, b"", 0, ()) for name in (ONE, TWO))
    assert inquiry.fit(CFiltersV2((first, last))) is Fit.WHOLE
    assert inquiry.fit(CFiltersV2((last, first))) is Fit.NOT
    assert inquiry.fit(CFiltersV2(())) is Fit.NOT
    assert inquiry.collect([CFiltersV2((first, last))]) == [first, last]
