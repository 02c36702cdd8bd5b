"""Asking one peer."""

import gc
import sys

import pytest
from twisted.internet.defer import CancelledError, Deferred
from zope.interface.verify import verifyObject

from bitpeer.bitcoin import (
    REGTEST,
    Addr,
    AddrV2,
    Block,
    BlockHeader,
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetAddr,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
    GetData,
    GetHeaders,
    Headers,
    Inv,
    InvType,
    InvVect,
    MemPool,
    MerkleBlock,
    Ping,
    Pong,
    Services,
    Tx,
)
from bitpeer.errors import (
    Absent,
    Disconnected,
    DisconnectReason,
    NotEstablished,
    NotNegotiated,
    PeerGone,
    TooManyRequests,
    Unanswered,
    Unencodable,
)
from bitpeer.messages.addresses import TimedNetAddress
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener, on
from bitpeer.wire.message import Unknown
from tests.net.asked import (
    Result,
    hang_up,
    make_block,
    make_tx,
    meet,
    node,
    not_found,
    said,
    say,
    wanted,
)
from tests.net.stage import Recorder, SocketTransport, join

ONE, TWO, THREE = map(make_block, (1, 2, 3))
HOST = TimedNetAddress(0, 1, bytes(16), 8333)


@pytest.fixture
def stage():
    return node()


@pytest.fixture
def peer(stage):
    return meet(stage)


def pass_time(stage, seconds: float) -> None:
    for _ in range(int(seconds)):
        stage.clock.advance(1)


def test_a_peer_is_still_one(peer):
    assert verifyObject(IPeer, peer)


def test_a_block_is_asked_for_and_comes(peer):
    result = Result(peer.get_block(ONE.hash))
    assert said(peer) == [GetData((InvVect(InvType.WITNESS_BLOCK, ONE.hash),))]
    say(peer, TWO)
    assert result.pending
    say(peer, ONE)
    assert result.value == ONE


def test_who_has_no_witnesses_is_asked_for_none(stage):
    peer = meet(stage, Services.NETWORK)
    peer.get_block(ONE.hash)
    peer.get_tx(ONE.hash)
    assert [each.items[0].kind for each in said(peer)] == [InvType.BLOCK, InvType.TX]


def test_blocks_come_in_the_order_in_which_they_were_asked_for(peer):
    result = Result(peer.get_blocks(each.hash for each in (ONE, TWO, ONE)))
    assert wanted(peer) == [ONE.hash, TWO.hash]
    say(peer, TWO, ONE)
    assert result.value == [ONE, TWO, ONE]
    assert Result(peer.get_blocks([])).value == []


def test_blocks_come_all_or_none(peer):
    result = Result(peer.get_blocks([ONE.hash, TWO.hash]))
    say(peer, not_found(ONE.hash))
    assert isinstance(result.value, Absent)
    assert not peer.machine.asking


def test_blocks_taken_back_are_all_taken_back(peer):
    deferred = peer.get_blocks([ONE.hash, TWO.hash])
    result = Result(deferred)
    deferred.cancel()
    assert isinstance(result.value, CancelledError)
    assert not peer.machine.asking


@pytest.mark.parametrize("by_wtxid", [True, False])
def test_a_transaction_is_asked_for_and_comes(peer, by_wtxid):
    tx = make_tx(5)
    name = tx.wtxid if by_wtxid else tx.txid
    result = Result(peer.get_tx(name, by_wtxid=by_wtxid))
    kind = InvType.WTX if by_wtxid else InvType.WITNESS_TX
    assert said(peer) == [GetData((InvVect(kind, name),))]
    say(peer, make_tx(6), tx)
    assert result.value == tx


def headers_behind(name):
    return Headers([BlockHeader(1, name, bytes(32), 0, 0, 0)])


def test_headers_are_asked_for_and_come(peer):
    result = Result(peer.get_headers([ONE.hash]))
    question, ping = said(peer)
    assert question == GetHeaders(70017, (ONE.hash,))
    say(peer, headers_behind(TWO.hash), headers_behind(ONE.hash))
    assert result.pending
    say(peer, Pong(ping.nonce))
    assert result.value == headers_behind(ONE.hash)
    again = Result(peer.get_headers([TWO.hash]))
    say(peer, headers_behind(REGTEST.genesis), Pong(said(peer)[1].nonce))
    assert again.value == headers_behind(REGTEST.genesis)


def test_who_is_silent_has_no_headers(peer):
    result = Result(peer.get_headers([ONE.hash]))
    say(peer, Pong(said(peer)[1].nonce))
    assert result.value == Headers([])


def test_late_headers_are_not_taken_for_the_next(stage, peer):
    late = Result(peer.get_headers([ONE.hash], timeout=5))
    pass_time(stage, 6)
    assert isinstance(late.value, Unanswered)
    result = Result(peer.get_headers([ONE.hash]))
    first, second = (each.nonce for each in said(peer) if type(each) is Ping)
    say(peer, headers_behind(ONE.hash), Pong(first))
    assert result.pending
    say(peer, Headers([]), Pong(second))
    assert result.value == Headers([])


def test_filters_are_asked_for_and_come(peer):
    stop = TWO.hash
    filters = Result(peer.get_cfilters(1, stop))
    checks = Result(peer.get_cfcheckpt(stop))
    hashes = Result(peer.get_cfheaders(1, stop, 0))
    kinds = [GetCFilters, Ping, GetCFCheckpt, GetCFHeaders]
    assert [type(each) for each in said(peer)] == kinds
    parts = [CFilter(0, ONE.hash, b"1"), CFilter(0, stop, b"2")]
    answers = CFHeaders(0, stop, bytes(32), ()), CFCheckpt(0, stop, ())
    say(peer, *parts, *answers)
    assert filters.value == parts
    assert (hashes.value, checks.value) == answers


def test_filters_that_the_peer_passes_over_cost_the_next_question_nothing(peer):
    unknown = Result(peer.get_cfilters(1, bytes(32)))
    result = Result(peer.get_cfilters(1, TWO.hash))
    first, second = (each.nonce for each in said(peer) if type(each) is Ping)
    parts = [CFilter(0, ONE.hash, b"1"), CFilter(0, TWO.hash, b"2")]
    say(peer, Pong(first), *parts, Pong(second))
    assert isinstance(unknown.value, Absent)
    assert result.value == parts


def test_addresses_are_asked_for_and_come(stage, peer):
    result = Result(peer.get_addresses())
    assert said(peer) == [GetAddr()]
    say(peer, Addr((HOST,)))
    assert result.pending
    say(peer, Addr((HOST, HOST)))
    assert list(result.value) == [HOST, HOST]
    result = Result(peer.get_addresses(timeout=9))
    say(peer, Addr((HOST,)))
    pass_time(stage, 10)
    assert list(result.value) == [HOST]
    assert AddrV2 in REGTEST.dialect.topics["addresses"].ask().answers


def test_the_mempool_is_asked_for_and_comes(stage, peer):
    result = Result(peer.get_mempool())
    assert said(peer) == [MemPool()]
    item = InvVect(InvType.WTX, bytes(32))
    say(peer, Inv((item,)))
    assert result.value == [item]
    result = Result(peer.get_mempool(timeout=5))
    pass_time(stage, 6)
    assert result.value == []
    result = Result(peer.get_mempool())
    say(peer, Inv((item,)))
    assert result.value == [item]


def test_a_ping_takes_its_time(stage, peer):
    result = Result(peer.ping())
    [ping] = said(peer)
    stage.clock.advance(0.2)
    say(peer, Pong(ping.nonce ^ 1))
    stage.clock.advance(0.05)
    say(peer, Pong(ping.nonce))
    assert result.value == pytest.approx(0.25)
    hang_up(peer)
    assert isinstance(Result(peer.ping()).value, PeerGone)


# Anything else


def test_anything_may_be_asked_and_answered_by_anything(peer):
    result = Result(peer.request(Unknown("quo", b"1"), Unknown))
    say(peer, Pong(1), Unknown("vadis", b"2"))
    assert result.value == Unknown("vadis", b"2")


def test_one_of_several_kinds_may_be_the_answer_and_one_may_choose(peer):
    result = Result(
        peer.request(GetAddr(), [Addr, Pong], where=lambda it: getattr(it, "nonce", 0) == 7)
    )
    say(peer, Addr((HOST, HOST)), Pong(6), Pong(7))
    assert result.value == Pong(7)


def test_what_belongs_together_by_its_hash_is_matched_by_it(peer):
    item = InvVect(InvType.FILTERED_BLOCK, ONE.hash)
    result = Result(peer.request(GetData((item,)), MerkleBlock))
    say(peer, MerkleBlock(TWO.header, 1, (bytes(32),), b"\0"))
    assert result.pending
    answer = MerkleBlock(ONE.header, 1, (bytes(32),), b"\0")
    say(peer, ONE, answer)
    assert result.value == answer
    result = Result(peer.request(GetData((item,)), MerkleBlock))
    say(peer, not_found(ONE.hash))
    assert isinstance(result.value, Absent)


def test_a_mistake_in_the_choice_fails_the_request_and_nothing_else(peer):
    result = Result(peer.request(GetAddr(), Pong, where=lambda pong: pong.number == 7))
    say(peer, Pong(7))
    assert isinstance(result.value, AttributeError)
    assert peer.established


def test_equal_requests_are_one(peer):
    one, two = (Result(peer.request(GetAddr(), Addr)) for _ in range(2))
    assert said(peer) == [GetAddr()]
    say(peer, Addr(()))
    assert one.value == two.value == Addr(())


# How it goes wrong


def test_a_peer_that_does_not_have_it_says_so(peer):
    result = Result(peer.get_block(ONE.hash))
    say(peer, not_found(ONE.hash))
    assert isinstance(result.value, Absent)
    assert ONE.hash[::-1].hex() in str(result.value)


def test_time_runs_out_and_the_connection_stays(stage, peer):
    result = Result(peer.get_block(ONE.hash, timeout=45))
    stage.clock.pump([1] * 44)
    assert result.pending
    stage.clock.pump([1] * 2)
    assert isinstance(result.value, Unanswered)
    assert result.value.seconds == 45
    assert peer.established


def test_each_kind_has_its_own_time(stage, peer):
    names = {"block": 60, "tx": 30}
    results = {name: Result(peer.ask(name, ONE.hash)) for name in names}
    for name, seconds in sorted(names.items(), key=lambda item: item[1]):
        pass_time(stage, seconds - 2 - (stage.clock.seconds() - 1_700_000_000))
        assert results[name].pending
        pass_time(stage, 3)
        assert isinstance(results[name].value, Unanswered)


def test_a_request_is_patient_beyond_the_stall_deadline(stage):
    stage = node(stall_timeout=5.0)
    peer = meet(stage)
    result = Result(peer.get_block(ONE.hash, timeout=20))
    pass_time(stage, 15)
    assert result.pending
    assert peer.established
    peer.send(GetData((InvVect(InvType.BLOCK, TWO.hash),)))  # this is watched
    pass_time(stage, 7)
    assert isinstance(result.value, PeerGone | Unanswered)
    assert not peer.established


def test_r_d4_a_late_answer_is_nobodys(stage):
    recorder = Recorder()
    stage.add_listener(recorder)
    peer = meet(stage)
    late = Result(peer.get_block(ONE.hash, timeout=5))
    unasked = len(recorder.told("message"))
    pass_time(stage, 6)
    assert isinstance(late.value, Unanswered)
    result = Result(peer.get_block(TWO.hash))
    say(peer, ONE)
    assert result.pending
    assert len(recorder.told("message")) == unasked
    say(peer, ONE, TWO)
    assert result.value == TWO
    assert recorder.told("message")[unasked:] == [ONE]  # once was enough: that was unasked


UNSOLICITED = [
    ONE,
    make_tx(1),
    Headers([BlockHeader(1, TWO.hash, bytes(32), 0, 0, 0)]),
    Headers([]),
    Addr((HOST, HOST)),
    Inv((InvVect(InvType.TX, bytes(32)),)),
    CFilter(0, ONE.hash, b""),
    CFHeaders(0, ONE.hash, bytes(32), ()),
    CFCheckpt(0, ONE.hash, ()),
    not_found(ONE.hash),
    Pong(12345),
]


@pytest.mark.parametrize("message", UNSOLICITED, ids=lambda message: message.command)
def test_r_d4_what_nobody_asked_for_goes_to_listeners(stage, message):
    recorder = Recorder()
    stage.add_listener(recorder)
    peer = meet(stage)
    result = Result(peer.get_block(TWO.hash))
    say(peer, message)
    assert recorder.told("message")[-1] == message
    assert result.pending


def test_r_d3_every_answer_counts_once(stage):
    recorder = Recorder()
    stage.add_listener(recorder)
    peer = meet(stage)
    stop = ONE.hash
    tx = make_tx(4)
    questions = [
        (peer.get_block(ONE.hash), ONE),
        (peer.get_tx(tx.txid), tx),
        (peer.get_cfilters(1, stop), CFilter(0, stop, b"")),
        (peer.get_cfheaders(1, stop), CFHeaders(0, stop, bytes(32), ())),
        (peer.get_cfcheckpt(stop), CFCheckpt(0, stop, ())),
        (peer.get_addresses(), Addr((HOST, HOST))),
    ]
    results = [Result(question) for question, _ in questions]
    for _, answer in questions:
        say(peer, answer)
    assert not any(result.pending for result in results)
    heard = len(recorder.told("message"))
    for _, answer in questions:
        say(peer, answer)
    assert len(recorder.told("message")) == heard + len(questions)
    assert all(len(result.found) == 1 for result in results)


def test_cancelling_frees_the_place():
    peer = meet(node(max_requests=1))
    first = peer.get_block(ONE.hash)
    outcome = Result(first)
    full = Result(peer.get_block(TWO.hash))
    assert isinstance(full.value, TooManyRequests)
    first.cancel()
    assert isinstance(outcome.value, CancelledError)
    assert Result(peer.get_block(TWO.hash)).pending


def test_one_who_was_told_may_cancel_another(peer):
    first = peer.get_block(ONE.hash)
    second = peer.get_block(ONE.hash)
    cancelled = Result(second)
    first.addCallback(lambda _: second.cancel())
    say(peer, ONE)
    assert isinstance(cancelled.value, CancelledError)


@pytest.mark.parametrize("end", ["hang up", "disconnect", "break"])
def test_everything_on_its_way_fails_at_the_end(peer, end):
    results = [
        Result(each)
        for each in (peer.get_block(ONE.hash), peer.get_headers([ONE.hash]), peer.ping())
    ]
    if end == "hang up":
        hang_up(peer)
        reason = DisconnectReason.CLOSED_BY_PEER
    elif end == "disconnect":
        peer.disconnect()  # not first when the connection is gone
        reason = DisconnectReason.CLOSED_HERE
    else:
        peer.dataReceived(b"nonsense" * 9)
        reason = DisconnectReason.WRONG_NETWORK
    for result in results:
        assert isinstance(result.value, PeerGone)
        assert isinstance(result.value, Disconnected)
        assert result.value.reason is reason
    late = Result(peer.get_block(TWO.hash)).value
    assert isinstance(late, PeerGone)
    assert late.reason is reason


def test_before_the_handshake_nothing_can_be_asked(stage):
    peer = join(stage, SocketTransport(), outbound=True)
    assert isinstance(Result(peer.get_block(ONE.hash)).value, NotEstablished)
    assert not peer.serves("block")


def test_nothing_that_makes_no_sense_raises(peer):
    assert isinstance(Result(peer.get_block(b"short")).value, Unencodable)
    assert isinstance(Result(peer.get_blocks([b"short"])).value, Unencodable)
    assert isinstance(Result(peer.get_block("text")).value, Unencodable)
    assert isinstance(Result(peer.get_blocks(["text"])).value, Exception)
    assert isinstance(Result(peer.request("nonsense", Pong)).value, Exception)
    assert isinstance(Result(peer.request(Ping(1), "pong")).value, TypeError)
    assert isinstance(Result(peer.request(Ping(1), ())).value, TypeError)
    assert isinstance(Result(peer.get_block(ONE.hash, timeout="long")).value, TypeError)
    assert isinstance(Result(peer.ask("riddles")).value, NotNegotiated)
    assert not peer.machine.asking
    assert said(peer) == []


@pytest.mark.parametrize(
    ("services", "version", "topic", "serves"),
    [
        (Services.NETWORK, 70016, "block", True),
        (Services.NETWORK_LIMITED, 70016, "block", True),
        (0, 70016, "block", False),
        (0, 70016, "tx", True),
        (Services.NETWORK, 70016, "cfilters", False),
        (Services.COMPACT_FILTERS, 70016, "cfilters", True),
        (Services.BLOOM, 60001, "mempool", False),
        (Services.NETWORK, 70016, "riddles", False),
    ],
)
def test_a_peer_serves_what_its_version_and_its_services_say(
    stage, services, version, topic, serves
):
    assert meet(stage, services, version).serves(topic) is serves


# While listeners are at work


class Curious(PeerListener):
    """Asks for every block that is announced, and waits for it, as anybody would."""

    def __init__(self, **how):
        self.log: list = []
        self.how = how

    @on(Inv)
    async def announced(self, peer, inv):
        self.log.append("asked")
        try:
            for item in inv.items:
                self.log.append(await peer.get_block(item.hash, **self.how))
        except Exception as error:
            self.log.append(error)

    @on(Tx)
    def came(self, peer, tx):
        self.log.append(tx)


def invite(*blocks):
    return Inv(tuple(InvVect(InvType.BLOCK, block.hash) for block in blocks))


def test_a_listener_may_await_an_answer_though_it_holds_messages_back():
    curious = Curious()
    peer = meet(node(curious))
    tx, other = make_tx(1), make_tx(2)
    say(peer, invite(ONE, TWO), tx)
    assert peer.transport.reading
    say(peer, other, ONE)
    assert curious.log == ["asked", ONE]
    say(peer, TWO)
    assert curious.log == ["asked", ONE, TWO, tx, other]  # in order, and later
    assert peer.held == 0
    assert peer.transport.reading


def test_what_is_kept_meanwhile_is_counted_and_bounded(stage):
    curious = Curious(timeout=30)
    stage = node(curious, pause_queue=10_000)
    peer = meet(stage)
    say(peer, invite(ONE))
    held = peer.held
    for number in range(1_000):
        say(peer, make_tx(number))
        if not peer.transport.reading:
            break
    assert 10 < number < 60
    assert 9_000 < peer.held - held < 12_000
    say(peer, ONE)  # what was read already still waits, unlooked at
    assert curious.log == ["asked"]
    pass_time(stage, 31)
    assert isinstance(curious.log[1], Unanswered)
    assert [tx.lock_time for tx in curious.log[2:]] == list(range(number + 1))
    assert peer.transport.reading
    assert peer.held == 0


def test_a_listener_that_waits_for_something_else_as_well_stays_held(stage):
    gate: Deferred = Deferred()

    class Slow(PeerListener):
        async def peer_established(self, peer, version):
            self.latency = await peer.ping()
            await gate

        @on(Tx)
        def came(self, peer, tx):
            self.tx = tx

    slow = Slow()
    stage = node(slow)
    peer = meet(stage)
    ping = slow_ping(peer)
    assert peer.transport.reading
    say(peer, make_tx(1), Pong(ping))
    assert slow.latency == 0
    assert not peer.transport.reading
    say(peer, make_tx(2))  # what the kernel had
    gate.callback(None)
    assert slow.tx == make_tx(2)
    assert peer.transport.reading


def slow_ping(peer) -> int:
    """The nonce of the latest ping that was asked for, which is on its way."""
    [asked] = peer.machine.inquiries._live.values()
    return asked.inquiry.messages[0].nonce


def test_time_runs_out_for_listeners_too(stage):
    curious = Curious(timeout=3)
    stage = node(curious)
    peer = meet(stage)
    say(peer, invite(ONE))
    pass_time(stage, 4)
    assert isinstance(curious.log[1], Unanswered)
    assert peer.transport.reading


def test_the_end_comes_while_a_listener_waits():
    curious = Curious()
    peer = meet(node(curious))
    say(peer, invite(ONE), make_tx(1))
    say(peer, make_tx(2))
    hang_up(peer)
    assert isinstance(curious.log[1], PeerGone)
    assert len(curious.log) == 2


def test_a_listener_may_ask_and_not_wait(peer):
    class Fetcher(PeerListener):
        @on(Inv)
        def announced(self, peer, inv):
            self.result = Result(peer.get_block(inv.items[0].hash))

    fetcher = Fetcher()
    peer.node.add_listener(fetcher)
    say(peer, invite(ONE))
    assert wanted(peer) == [ONE.hash]
    say(peer, ONE)
    assert fetcher.result.value == ONE


# What it costs


def test_an_idle_peer_keeps_nothing_for_it(peer):
    names = set(vars(peer))
    Result(peer.get_block(ONE.hash))
    say(peer, ONE)
    assert peer.machine.inquiries is None
    assert set(vars(peer)) == names


def test_a_thousand_requests_leave_no_memory_behind(stage, peer):
    def ask_around():
        for _ in range(200):
            Result(peer.get_block(ONE.hash))
            say(peer, ONE)
            Result(peer.ping(timeout=1)).deferred.cancel()
        pass_time(stage, 130)
        said(peer)

    ask_around()
    gc.collect()
    before = sys.getallocatedblocks()
    ask_around()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200
    assert peer.machine.inquiries is None
    assert Block.command == "block"
