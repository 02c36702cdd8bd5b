from dataclasses import replace

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from bitpeer.config import BlockPosition
from bitpeer.errors import DisconnectReason, InvalidSetting, LimitExceeded, Unencodable
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.messages.control import VerAck
from bitpeer.messages.inventory import InvVect
from bitpeer.net.interfaces import IDialListener, INewestBlock
from bitpeer.net.journal import Journal
from bitpeer.net.listeners import PeerListener
from bitpeer.net.local import COARSE, LocalNode, draw_nonce
from bitpeer.net.peer import PURPOSE
from bitpeer.net.traffic import MessageLog
from tests.net.stage import (
    GREETING,
    HELLO,
    NETWORK,
    NOON,
    PushTransport,
    Recorder,
    SocketTransport,
    clock,
    commands,
    config,
    frame,
    frames,
    join,
    meet,
    node,
    say,
)
from tests.toy import Hello, Say


@pytest.fixture
def logged():
    """What is logged, as pairs of level and text."""
    lines = []

    def observe(event):
        if event.get("log_namespace", "").startswith("bitpeer"):
            lines.append((event["log_level"], formatEvent(event)))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


def test_r_f4_nonces_cannot_be_foretold_and_are_never_zero():
    nonces = {draw_nonce() for _ in range(1_000)}
    assert len(nonces) == 1_000
    assert all(0 < nonce < 1 << 64 for nonce in nonces)
    assert max(nonces) > 1 << 60


# What this side says of itself


def greeting(stage, **how):
    """The version that the node sends to whom it dials."""
    peer = join(stage, outbound=True, **how)
    return Hello.decode(frames(peer.transport.sent)[0][1])


def test_the_settings_decide_what_is_said():
    stage = node(
        services=9,
        protocol_version=1,
        user_agent=b"/me:1/",
        relay=False,
        newest_block=lambda: BlockPosition(b"h" * 32, 7),
    )
    hello = greeting(stage)
    assert (hello.version, hello.services, hello.time) == (1, 9, int(NOON))
    assert (hello.user_agent, hello.height, hello.relay) == (b"/me:1/", 7, False)
    assert stage.protocol_version == 1
    assert node().protocol_version == 2


def test_nonces_come_from_where_they_should():
    stage = LocalNode(config(), clock=clock(), draw_nonce=lambda: 42)
    assert greeting(stage).nonce == 42


def test_listeners_may_know_the_newest_block():
    @implementer(INewestBlock)
    class Chain:
        def newest_block(self):
            return BlockPosition(b"h" * 32, 800_000)

    assert greeting(node(Chain())).height == 800_000
    preferred = node(Chain(), newest_block=lambda: BlockPosition(b"h" * 32, 5))
    assert greeting(preferred).height == 5


@implementer(IDialListener)
class Dials:
    """Notes whom this side dials, and stumbles when it is in vain."""

    def __init__(self):
        self.noted = []

    def dialling(self, address):
        self.noted.append(address)

    def unreachable(self, address, reason):
        raise ValueError(reason.name)


def test_those_who_want_to_know_hear_of_dials_and_hurt_nobody(logged_failures):
    first, second = Dials(), Dials()
    stage = node(first, second)
    stage.dialling("192.0.2.1:7")
    assert first.noted == second.noted == ["192.0.2.1:7"]
    stage.unreachable("192.0.2.1:7", DisconnectReason.DIAL_REFUSED)
    assert stage.listener_failures == 2
    assert len(logged_failures.claim(ValueError)) == 1  # of two from one place
    stage.remove_listener(first)
    stage.dialling("192.0.2.2:7")
    assert (len(first.noted), len(second.noted)) == (1, 2)


def test_if_nobody_knows_it_is_the_genesis_block():
    assert node().newest_block() == BlockPosition(NETWORK.genesis, 0)


def test_who_cannot_tell_the_newest_block_does_not_keep_peers_from_talking(logged_failures):
    def broken():
        raise ValueError("database is locked")

    stage = node(newest_block=broken)
    assert greeting(stage).height == 0
    assert stage.listener_failures == 1
    assert len(logged_failures.claim(ValueError)) == 1


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("8.8.8.8", NetAddress.of("8.8.8.8", 8333)),
        ("2606:4700::1", NetAddress.of("2606:4700::1", 8333)),
        ("192.168.1.5", NOWHERE),
        ("127.0.0.1", NOWHERE),
        ("fe80::1%eth0", NOWHERE),
        ("example.onion", NOWHERE),
        ("", NOWHERE),
    ],
)
def test_r_f3_only_public_addresses_are_told(host, told):
    """R-F3."""
    assert node().receiver_address(host, 8333) == told


def test_behind_a_proxy_nobody_is_told_where_anybody_is():
    assert node(proxied=True).receiver_address("8.8.8.8", 8333) == NOWHERE


def test_r_f3_behind_a_proxy_nobody_is_told_the_exact_time():
    stage = node(proxied=True)
    assert NOON % COARSE
    assert greeting(stage).time == round(NOON / COARSE) * COARSE
    assert greeting(node()).time == NOON


def test_an_application_may_decide_what_is_told(logged_failures):
    asked = []

    def address_of(host, port, services):
        asked.append((host, port, services))
        if host == "odd":
            raise ValueError("odd")
        return NetAddress(1, bytes(16), 5)

    stage = node(address_of=address_of)
    assert stage.receiver_address("10.0.0.1", 8333) == NetAddress(1, bytes(16), 5)
    assert asked == [("10.0.0.1", 8333, 0)]
    assert stage.receiver_address("odd", 8333) == NOWHERE
    assert len(logged_failures.claim(ValueError)) == 1


# Listeners


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (bytes(32), 5),
        BlockPosition(bytes(32), 1 << 40),
        BlockPosition(bytes(32), -1),
        BlockPosition(bytes(32), None),
        Deferred(),
    ],
)
def test_a_provider_that_answers_nonsense_is_named_and_harms_nobody(answer, logged_failures):
    def newest():
        return answer

    stage = node(newest_block=newest)
    assert meet(stage).established
    assert stage.newest_block().height == 0
    assert stage.listener_failures == 2
    (failure,) = logged_failures.claim()
    assert "expected a " in str(failure.value)


@pytest.mark.parametrize("answer", [None, NetAddress(1 << 64, bytes(16), 0), ("192.0.2.1", 8333)])
def test_a_peers_address_that_is_none_is_hidden(answer, logged, logged_failures):
    stage = node(address_of=lambda *_: answer)
    assert stage.receiver_address("192.0.2.1", 8333) == NOWHERE
    assert len(logged_failures.claim(TypeError, Unencodable)) == 1
    ((_, text),) = logged
    assert text.endswith("<lambda> could not tell the address of 192.0.2.1, so none is told")


def test_listeners_must_listen_to_something():
    with pytest.raises(InvalidSetting, match="something that provides one of"):
        node(object())
    with pytest.raises(InvalidSetting):
        node().add_listener("nothing")


def test_who_joins_later_hears_of_what_comes_later():
    stage, recorder = node(), Recorder()
    peer = meet(stage)
    stage.add_listener(recorder)
    peer.dataReceived(say(b"now"))
    assert recorder.told("message") == [Say(b"now")]
    assert recorder.traffic[0][:3] == ("read", "say", 28)


def test_who_is_removed_hears_of_nothing_more():
    recorder = Recorder()
    stage = node(recorder)
    peer = meet(stage)
    peer.dataReceived(say(b"before"))
    heard = len(recorder.traffic)
    stage.remove_listener(recorder)
    peer.dataReceived(say(b"after"))
    assert recorder.told("message")[-1] == Say(b"before")
    assert len(recorder.traffic) == heard


@pytest.mark.parametrize("setting", ["log_messages", "log_bytes"])
def test_messages_are_logged_if_it_is_wanted(setting, logged):
    stage = node(**{setting: True})
    assert isinstance(stage.audience.traffic[-1], MessageLog)
    meet(stage)
    assert any(level is LogLevel.debug and "received version" in text for level, text in logged)
    assert not node().audience.traffic


def test_listeners_that_fail_are_counted_and_logged_once(logged_failures):
    class Clumsy(PeerListener):
        def message_received(self, peer, message):
            raise ValueError("oops")

    stage = node(Clumsy())
    for _ in range(100):
        meet(stage)
    assert stage.listener_failures == 200
    assert len(logged_failures.claim(ValueError)) == 1


# Peers


def test_the_tickers_wake_peers_and_announce_for_them():
    stage = node(trickle_interval=2, ping_interval=100, idle_timeout=200)
    peer = meet(stage)
    peer.announce(InvVect(1, bytes(32)))
    stage.clock.pump([0.1] * 30)
    assert commands(peer.transport.sent)[-1] == "inv"
    stage.clock.pump([1] * 205)
    assert peer.transport.aborted


def test_a_node_knows_its_peers_and_numbers_them():
    stage = node()
    one, two = join(stage), meet(stage)
    assert stage.peers == {one, two}
    assert (one.id, two.id) == (1, 2)
    assert stage.established() == [two]
    two.transport.lose()
    assert stage.peers == {one}
    assert stage.established() == []
    assert join(stage).id == 3


def test_a_node_counts_what_has_moved_and_why_peers_were_lost():
    stage = node()
    one, two = meet(stage), meet(stage)
    one.dataReceived(say(b"x"))
    received, sent = stage.totals
    assert received == 2 * len(GREETING) + 26
    assert sent == len(one.transport.sent) + len(two.transport.sent)
    one.transport.lose()
    two.fail(LimitExceeded(5, 4))
    two.transport.lose()
    assert stage.totals == (received, sent)
    assert stage.lost == {DisconnectReason.CLOSED_BY_PEER: 1, DisconnectReason.MALFORMED: 1}


def test_nothing_is_left_in_the_reactor_when_the_last_peer_is_gone():
    stage = node(trickle_interval=5)
    peers = [meet(stage), meet(stage)]
    for peer in peers:
        peer.announce(InvVect(1, bytes(32)))
    assert len(stage.clock.getDelayedCalls()) == 2
    peers[0].transport.lose()
    assert len(stage.clock.getDelayedCalls()) == 2
    peers[1].transport.lose()
    assert not stage.clock.getDelayedCalls()


def test_many_peers_need_two_timers():
    stage = node()
    for _ in range(200):
        meet(stage).announce(InvVect(1, bytes(32)))
    assert len(stage.clock.getDelayedCalls()) == 2


def test_a_node_can_be_told_to_wake_nobody_any_more():
    stage = node()
    meet(stage)
    stage.stop()
    assert not stage.clock.getDelayedCalls()


def test_disconnecting_all_is_done_when_all_are_gone():
    recorder = Recorder()
    stage = node(recorder)
    peers = [meet(stage), join(stage), meet(stage)]
    done = stage.disconnect_all()
    assert not done.called
    for peer in peers:
        assert peer.transport.disconnecting
        assert not done.called
        peer.transport.lose()
    assert done.called
    assert [reason.reason for reason in recorder.told("lost")] == [DisconnectReason.CLOSED_HERE] * 3


def test_without_peers_disconnecting_all_is_done_at_once():
    assert node().disconnect_all().called


def test_a_listener_may_dial_again_at_once():
    class Stubborn(PeerListener):
        def peer_lost(self, peer, reason):
            if len(peers) < 3:
                peers.append(meet(stage))

    stage = node(Stubborn())
    peers = [meet(stage)]
    peers[0].transport.lose()
    assert stage.wakes.running
    peers[1].transport.lose()
    peers[2].transport.lose()
    assert not stage.wakes.running


# Memory


def test_r_a2_over_budget_those_who_hold_most_are_dropped():
    recorder = Recorder()
    stage = node(recorder, max_total=200_000)
    peers = [meet(stage) for _ in range(4)]
    for peer, size in zip(peers, (90_000, 20_000, 60_000, 1_000), strict=True):
        peer.transport.kernel.room = 0
        peer.send(Say(bytes(size)))
    assert stage.held == sum(peer.held for peer in peers) < 200_000
    peers[1].send(Say(bytes(40_000)))
    assert [peer.transport.aborted for peer in peers] == [True, False, False, False]
    assert stage.held == sum(peer.held for peer in peers[1:]) < 200_000
    peers[0].transport.lose()
    (reason,) = recorder.told("lost")
    assert reason.reason is DisconnectReason.MEMORY_BUDGET
    assert "at most 200000 may" in str(reason)


def test_messages_that_never_end_count_as_well():
    stage = node(max_total=200_000)
    peers = [meet(stage) for _ in range(10)]
    data = frame(Say(bytes(90_000)))
    for peer in peers:
        peer.dataReceived(data[:60_000])
        assert stage.held <= 200_000
    assert sum(peer.transport.aborted for peer in peers) == 7
    assert stage.held == sum(peer.held for peer in peers)


def test_a_peer_that_is_saying_goodbye_is_dropped_like_any_other():
    stage = node(max_total=100_000)
    leaving, staying = meet(stage), meet(stage)
    for peer in (leaving, staying):
        peer.transport.kernel.room = 0
    leaving.send(Say(bytes(70_000)))
    leaving.disconnect()
    staying.send(Say(bytes(50_000)))
    assert leaving.transport.aborted
    assert leaving.snapshot().disconnect_reason is DisconnectReason.CLOSED_HERE
    assert not staying.transport.aborted
    assert stage.held == staying.held


def test_one_peer_alone_may_be_too_much():
    stage = node(max_total=1_000)
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.send(Say(bytes(2_000)))
    assert peer.transport.aborted
    assert stage.held == 0


def test_an_account_without_peers_drops_nobody():
    stage = node(max_total=1_000)
    stage.charge(5_000)
    meet(stage)
    stage.charge(1)
    assert len(stage.established()) == 1


# The log


def test_peers_won_and_lost_are_worth_a_line(logged):
    peer = join(node())
    peer.dataReceived(GREETING.replace(b"/toy:1/", b"/t\x1b[2J/"))
    assert not peer.established  # the checksum is wrong now
    logged.clear()
    peer = join(node())
    evil = Hello(2, 0, int(NOON), 99, b"/t\x1b[2J\r\n/")
    peer.dataReceived(frame(evil) + GREETING[-24:])
    peer.transport.lose()
    assert logged == [
        (
            LogLevel.info,
            r"peer 1 203.0.113.7:8333 (inbound) established: /t\x1b[2J\x0d\x0a/, version 2",
        ),
        (LogLevel.info, "peer 1 203.0.113.7:8333 (inbound) lost: closed by the peer"),
    ]


def test_whoever_is_only_felt_for_is_worth_a_line_at_level_debug(logged):
    peer = join(node(), outbound=True)
    peer.facts[PURPOSE] = "feeler"
    peer.dataReceived(GREETING)
    peer.transport.lose()
    assert [level for level, _ in logged] == [LogLevel.debug] * 2


# To everybody


def test_a_broadcast_reaches_everybody_who_can_hear_it():
    stage = node()
    near, far = meet(stage), meet(stage, PushTransport())
    stranger, leaving = join(stage), meet(stage)
    leaving.disconnect()
    before = len(stranger.transport.sent)
    assert stage.broadcast(Say(b"to all")) == 2
    for peer in (near, far):
        assert peer.transport.sent.endswith(say(b"to all"))
    assert len(stranger.transport.sent) == before
    assert not leaving.transport.sent.endswith(say(b"to all"))


def test_a_broadcast_may_be_large():
    stage = node()
    peer = meet(stage)
    assert stage.broadcast(Say(bytes(90_000))) == 1
    assert peer.transport.sent.endswith(say(bytes(90_000)))


def test_what_cannot_be_encoded_is_broadcast_to_nobody():
    stage = node()
    peer = meet(stage)
    before = peer.transport.sent
    with pytest.raises(Unencodable):
        stage.broadcast(Say(bytes(100_001)))
    assert peer.transport.sent == before


@pytest.mark.parametrize(("outbound", "level"), [(True, LogLevel.info), (False, LogLevel.debug)])
def test_strangers_do_not_use_up_what_may_be_logged_of_peers(outbound, level, logged):
    """R-I1."""
    peer = join(node(), outbound=outbound)
    peer.transport.lose()
    side = "outbound" if outbound else "inbound"
    assert logged == [(level, f"peer 1 203.0.113.7:8333 ({side}) not won: closed by the peer")]


def test_r_i1_who_dials_us_does_not_use_up_what_may_be_logged_of_whom_we_dial(logged):
    stage = node()
    agent = b"/" + bytes(63)
    stage.journal = Journal(stage.log, stage.clock.seconds, budget=700)
    for outbound in (False, False, False, False, True):
        peer = join(stage, outbound=outbound)
        peer.dataReceived(frame(replace(HELLO, user_agent=agent)) + frame(VerAck()))
        assert peer.established
    texts = [text for _, text in logged if " established: " in text and "too many" not in text]
    assert sum("(inbound)" in text for text in texts) == 3
    assert sum("(outbound)" in text for text in texts) == 1
    assert max(map(len, texts)) < 160


def test_r_c5_connections_to_oneself_are_hardly_worth_mentioning(logged):
    """R-C5: CVE-2025-54604 filled disks with them."""
    stage = node()
    out, back = join(stage, outbound=True), join(stage)
    back.dataReceived(out.transport.sent)
    out.dataReceived(out.transport.sent)
    back.transport.lose()
    out.transport.lose()
    assert stage.lost == {DisconnectReason.SELF_CONNECTION: 2}
    assert {level for level, _ in logged} == {LogLevel.debug}


def test_r_i1_tens_of_thousands_of_strangers_leave_a_megabyte(logged):
    """R-I1."""
    stage = node()
    address = IPv4Address("TCP", "203.0.113.200", 65_535)
    for number in range(20_000):
        peer = join(stage, SocketTransport(peer=address))
        peer.dataReceived(frame(HELLO)[:-1] + bytes([number % 256]))
        peer.transport.lose()
    assert 900_000 < sum(len(text) + 80 for _, text in logged[:-1]) <= 1_048_576
    assert logged[-1][1].startswith("too many events like '{peer} not won: {reason} (inbound)'")
