# ruff: noqa: ARG001, ARG005  # listeners take what they are given
from asyncio import CancelledError

import pytest
from hypothesis import given, strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import formatEvent, globalLogPublisher
from zope.interface import implementer

from bitpeer.errors import (
    Disconnected,
    DisconnectReason,
    LimitExceeded,
    Refused,
    Unencodable,
    VersionTooOld,
)
from bitpeer.messages.control import Ping, Pong, Reject
from bitpeer.net.interfaces import IPeerListener, IVersionListener
from bitpeer.net.listeners import PeerListener, on
from bitpeer.wire.message import Malformed, Unknown
from tests.net.stage import (
    GREETING,
    HELLO,
    PushTransport,
    Recorder,
    SocketTransport,
    commands,
    frames,
    join,
    meet,
    node,
    ping,
    say,
)
from tests.toy import Say, frame


class Answering(PeerListener):
    """Notes what is said, and answers with what *answer* makes of it."""

    def __init__(self, answer=lambda peer, text: None):
        self.heard = []
        self.answer = answer

    @on(Say)
    def said(self, peer, message):
        self.heard.append(message.text)
        return self.answer(peer, message.text)


def waiting():
    """A listener that answers everything with a Deferred, and the Deferreds."""
    deferreds = []

    def answer(peer, text):
        deferreds.append(Deferred())
        return deferreds[-1]

    return Answering(answer), deferreds


def lost(recorder):
    (reason,) = recorder.told("lost")
    return reason


@pytest.fixture
def log_lines():
    """Returns what was logged so far, line by line."""
    events = []
    globalLogPublisher.addObserver(events.append)
    yield lambda: [formatEvent(event) for event in events]
    globalLogPublisher.removeObserver(events.append)


# Order


def test_messages_are_told_one_by_one_in_the_order_they_came():
    recorder = Recorder()
    peer = meet(node(recorder))
    assert [entry[0] for entry in recorder.log] == ["message", "message", "established"]
    recorder.log.clear()
    data = b"".join(say(b"%d" % number) for number in range(10))
    for start in range(0, len(data), 7):
        peer.dataReceived(data[start : start + 7])
    assert recorder.told("message") == [Say(b"%d" % number) for number in range(10)]


def test_unknown_messages_are_told_as_they_came():
    recorder = Recorder()
    peer = meet(node(recorder))
    peer.dataReceived(frame(b"gossip", b"psst"))
    assert recorder.told("message")[-1] == Unknown("gossip", b"psst")


def test_malformed_messages_are_told_if_they_are_tolerated():
    recorder = Recorder()
    peer = meet(node(recorder, tolerate_malformed=True))
    peer.dataReceived(frame(b"ping", b"short") + say(b"next"))
    malformed, following = recorder.told("message")[-2:]
    assert isinstance(malformed, Malformed)
    assert following == Say(b"next")
    assert peer.established


# Nothing escapes


@given(st.lists(st.binary(max_size=200), max_size=8), st.booleans())
def test_r_b4_whatever_bytes_come_nothing_escapes(pieces, greeted):
    """R-B4."""
    stage = node()
    peer = meet(stage) if greeted else join(stage)
    for piece in pieces:
        peer.dataReceived(piece)
    if not peer.transport.aborted:
        peer.transport.lose()


@pytest.mark.parametrize(
    "command",
    [b"", b"\xff\xfe", b"a\0b", b"with space\x7f", b"\0\0x", b"\x1b[2J", b"toolongtofit"],
)
def test_r_b4_whatever_command_comes_nothing_is_logged_as_failed(command):
    """R-B4, R-B12: a command is never looked up as a name of ours."""
    recorder = Recorder()
    peer = meet(node(recorder))
    peer.dataReceived(frame(command, b""))
    if command.isascii() and command.decode().isprintable() and command:
        assert peer.established
    else:
        assert peer.transport.aborted


@pytest.mark.parametrize("name", ["__init__", "__class__", "send", "disconnect", "fail"])
def test_r_b12_a_command_that_is_a_name_of_ours_is_just_unknown(name):
    """R-B12."""
    recorder = Recorder()
    peer = meet(node(recorder))
    peer.dataReceived(frame(name.encode(), b""))
    assert recorder.told("message")[-1] == Unknown(name, b"")


@pytest.mark.parametrize("error", [ValueError("clumsy"), KeyError("\x1b"), CancelledError()])
def test_r_c9_a_listener_that_raises_harms_nobody(error, logged_failures):
    """R-C9."""

    def answer(peer, text):
        raise error

    clumsy, careful = Answering(answer), Recorder()
    stage = node(clumsy, careful)
    peer, other = meet(stage), meet(stage)
    for _ in range(1_000):
        peer.dataReceived(say(b"x"))
    other.dataReceived(say(b"y"))
    assert len(clumsy.heard) == 1_001
    assert careful.told("message").count(Say(b"x")) == 1_000
    assert peer.established
    assert other.established
    assert peer.listener_failures == 1_000
    assert peer.snapshot().listener_failures == 1_000
    assert other.listener_failures == 1
    assert stage.listener_failures == 1_001
    assert len(logged_failures.claim()) == 1  # once for each place and hour


def test_r_c9_a_listener_that_raises_at_every_event_harms_nobody(logged_failures):
    @implementer(IPeerListener)
    class Broken:
        def peer_established(self, peer, version):
            raise ValueError("established")

        def message_received(self, peer, message):
            raise ValueError("message")

        def peer_lost(self, peer, reason):
            raise ValueError("lost")

    recorder = Recorder()
    stage = node(Broken(), recorder)
    peer = meet(stage)
    peer.transport.lose()
    assert [entry[0] for entry in recorder.log] == ["message", "message", "established", "lost"]
    assert stage.listener_failures == peer.listener_failures == 4
    assert len(logged_failures.claim(ValueError)) == 3


@pytest.mark.parametrize("late", [False, True])
def test_a_peers_mistake_that_a_listener_finds_ends_the_connection(late):
    """A block that is decoded when it is looked at may turn out to be none."""
    mistake = LimitExceeded(5, 4)

    def answer(peer, text):
        if late:
            return fail(mistake)
        raise mistake

    recorder, finder = Recorder(), Answering(answer)
    peer = meet(node(finder, recorder))
    peer.dataReceived(say(b"x") + say(b"y"))
    assert peer.transport.aborted
    assert finder.heard == [b"x"]
    assert recorder.told("message")[-1] == Say(b"x")
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.MALFORMED
    assert lost(recorder).cause is mistake
    assert peer.listener_failures == 0


def test_a_peers_mistake_does_not_keep_alive_what_it_sent():
    def answer(peer, text):
        try:
            raise KeyError
        except KeyError:
            raise mistake from None

    mistake = LimitExceeded(5, 4)
    peer = meet(node(Answering(answer)))
    peer.dataReceived(say(b"x"))
    assert peer.transport.aborted
    assert mistake.__traceback__ is None
    assert mistake.__context__ is None


def test_a_mistake_of_ours_ends_one_connection_and_is_logged(logged_failures):
    recorder = Recorder()
    stage = node(recorder)
    peer, other = meet(stage), meet(stage)

    def events(data, now):
        yield Say(b"first")
        raise ZeroDivisionError

    peer._machine = Machine(peer._machine, receive_data=events)
    peer.dataReceived(b"anything")
    assert recorder.told("message")[-1] == Say(b"first")
    assert len(logged_failures.claim(ZeroDivisionError)) == 1
    assert peer.transport.aborted
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.INTERNAL
    assert other.established


class Machine:
    """A machine with some of its methods replaced."""

    def __init__(self, machine, **replaced):
        self.__dict__.update(replaced, _machine=machine)

    def __getattr__(self, name):
        return getattr(self._machine, name)


# Waiting for listeners


def test_a_deferred_pauses_reading_and_holds_further_messages():
    listener, deferreds = waiting()
    peer = meet(node(listener))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert listener.heard == [b"1"]
    assert not peer.transport.reading
    deferreds[0].callback("whatever")
    assert listener.heard == [b"1", b"2"]
    assert not peer.transport.reading
    deferreds[1].callback(None)
    assert peer.transport.reading
    peer.dataReceived(say(b"3"))
    assert listener.heard == [b"1", b"2", b"3"]


def test_only_the_peer_in_question_waits():
    listener, deferreds = waiting()
    stage = node(listener)
    one, other = meet(stage), meet(stage)
    one.dataReceived(say(b"1") + say(b"2"))
    other.dataReceived(say(b"a"))
    deferreds[1].callback(None)
    other.dataReceived(say(b"b"))
    assert listener.heard == [b"1", b"a", b"b"]


def test_a_coroutine_is_waited_for():
    ready, steps = Deferred(), []

    async def answer(peer, text):
        steps.append(text)
        await ready
        steps.append(b"done")

    peer = meet(node(Answering(answer)))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert steps == [b"1"]
    ready.callback(None)
    assert steps == [b"1", b"done", b"2", b"done"]
    assert peer.transport.reading


@pytest.mark.parametrize("answer", [lambda *_: succeed(1), lambda *_: 5, lambda *_: True])
def test_an_answer_that_is_there_already_holds_nothing_back(answer):
    listener = Answering(answer)
    peer = meet(node(listener))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert listener.heard == [b"1", b"2"]
    assert peer.transport.reading


def test_every_listener_hears_a_message_before_anybody_is_waited_for():
    first, firsts = waiting()
    second, seconds = waiting()
    peer = meet(node(first, second))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert first.heard == second.heard == [b"1"]
    seconds[0].callback(None)
    assert first.heard == [b"1"]
    firsts[0].callback(None)
    assert first.heard == second.heard == [b"1", b"2"]


def test_an_answer_may_be_ready_while_another_is_not():
    first, deferreds = waiting()
    second = Answering(lambda *_: succeed(None))
    peer = meet(node(first, second))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert second.heard == [b"1"]
    deferreds[0].callback(None)
    assert second.heard == [b"1", b"2"]


def test_a_listener_may_make_another_one_ready():
    """A Deferred that fires while the message is still being told around."""
    first, deferreds = waiting()
    second = Answering(lambda *_: deferreds[-1].callback(None))
    peer = meet(node(first, second))
    peer.dataReceived(say(b"1") + say(b"2") + say(b"3"))
    assert first.heard == second.heard == [b"1", b"2", b"3"]
    assert peer.transport.reading


def test_one_deferred_may_be_the_answer_of_two_listeners():
    shared = Deferred()
    first, second = Answering(lambda *_: shared), Answering(lambda *_: shared)
    peer = meet(node(first, second))
    peer.dataReceived(say(b"1"))
    peer.dataReceived(say(b"2"))
    shared.callback(None)
    assert first.heard == second.heard == [b"1", b"2"]


def test_a_deferred_that_fails_is_a_listener_that_failed(logged_failures):
    listener, deferreds = waiting()
    stage = node(listener)
    peer = meet(stage)
    peer.dataReceived(say(b"1") + say(b"2"))
    deferreds[0].errback(ValueError("late"))
    assert listener.heard == [b"1", b"2"]
    assert peer.listener_failures == stage.listener_failures == 1
    assert len(logged_failures.claim(ValueError)) == 1


def test_a_coroutine_that_fails_is_a_listener_that_failed(logged_failures):
    async def answer(peer, text):
        raise ValueError("at once")

    listener = Answering(answer)
    peer = meet(node(listener))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert listener.heard == [b"1", b"2"]
    assert peer.listener_failures == 2
    assert len(logged_failures.claim(ValueError)) == 1


def test_a_connection_may_go_away_while_a_listener_is_at_work():
    listener, deferreds = waiting()
    recorder = Recorder()
    peer = meet(node(listener, recorder))
    peer.dataReceived(say(b"1") + say(b"2"))
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.CLOSED_BY_PEER
    deferreds[0].callback(None)
    assert listener.heard == [b"1"]
    assert len(recorder.told("lost")) == 1
    assert not peer.node.clock.getDelayedCalls()


def test_a_listener_that_waited_for_a_peer_that_is_lost_did_nothing_wrong():
    async def answer(peer, text):
        await peer.deliver(Say(b"never taken"))

    stage = node(Answering(answer))
    peer = meet(stage)
    peer.transport.kernel.room = 0
    peer.dataReceived(say(b"1"))
    peer.transport.lose()
    assert stage.listener_failures == 0


def test_a_listener_that_loses_another_connection_has_to_look_after_it(logged_failures):
    elsewhere = Disconnected(DisconnectReason.DIAL_FAILED)
    stage = node(Answering(lambda *_: fail(elsewhere)))
    peer = meet(stage)
    peer.dataReceived(say(b"1"))
    assert stage.listener_failures == 1
    assert len(logged_failures.claim(Disconnected)) == 1


def test_writing_goes_on_while_a_listener_is_at_work():
    listener, _ = waiting()
    peer = meet(node(listener))
    peer.dataReceived(say(b"1"))
    peer.send(Say(b"meanwhile"))
    assert frames(peer.transport.sent)[-1] == ("say", b"\x09meanwhile")


def test_bytes_that_come_in_spite_of_a_pause_are_kept_in_order():
    """TLS delivers everything that one read decrypted."""
    listener, deferreds = waiting()
    peer = meet(node(listener), PushTransport())
    data = b"".join(say(b"%d" % number) for number in range(6))
    peer.dataReceived(data[:60])
    peer.dataReceived(data[60:61])
    peer.dataReceived(data[61:])
    assert peer.held == len(data)
    for number in range(6):
        assert listener.heard == [b"%d" % each for each in range(number + 1)]
        deferreds[number].callback(None)
    assert len(listener.heard) == 6
    assert peer.held == 0
    assert peer.transport.reading


def test_bytes_that_come_because_of_what_a_listener_did_wait_for_their_turn():
    """A transport without a network between delivers the answer before `send` returns."""
    peers = []

    def answer(peer, text):
        if text == b"question":
            peers[0].dataReceived(say(b"answer"))
            peers[0].dataReceived(say(b"and more"))

    listener = Answering(answer)
    peers.append(meet(node(listener)))
    peers[0].dataReceived(say(b"question") + say(b"other"))
    assert listener.heard == [b"question", b"other", b"answer", b"and more"]


def test_bytes_that_come_in_between_and_a_pause_keep_their_order():
    peers, deferreds = [], []

    def answer(peer, text):
        if text == b"1":
            peers[0].dataReceived(say(b"3"))
            deferreds.append(Deferred())
            return deferreds[0]
        return None

    listener = Answering(answer)
    peers.append(meet(node(listener)))
    peers[0].dataReceived(say(b"1") + say(b"2"))
    assert listener.heard == [b"1"]
    deferreds[0].callback(None)
    assert listener.heard == [b"1", b"2", b"3"]


def test_deadlines_move_by_the_time_a_listener_took():
    listener, deferreds = waiting()
    recorder = Recorder()
    stage = node(listener, recorder, idle_timeout=300, listener_timeout=None)
    peer = meet(stage)
    stage.clock.advance(100)
    peer.dataReceived(say(b"1"))
    for _ in range(50):
        stage.clock.advance(20)
    assert peer.established
    deferreds[0].callback(None)
    stage.clock.advance(290)
    assert not peer.transport.aborted
    stage.clock.advance(13)
    assert peer.transport.aborted
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.IDLE


@pytest.mark.parametrize("split", [65, 30])
def test_r_c1_the_handshakes_deadline_stands_while_a_version_is_judged(split):
    """A judge that never answers would keep a stranger's place for ever (R-C1)."""
    recorder = Recorder()
    stage = node(Judge(Deferred()), recorder, handshake_timeout=30)
    peer = join(stage)
    peer.dataReceived(GREETING[:split])
    peer.dataReceived(GREETING[split:])
    stage.clock.pump([1] * 29)
    assert not recorder.log
    assert not peer.transport.closings
    assert not peer.transport.aborted
    stage.clock.pump([1] * 7)
    assert peer.transport.aborted
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.HANDSHAKE_TIMEOUT


class Slow(PeerListener):
    """Keeps every peer waiting, in as many ways as there are."""

    @on(Say)
    def say_received(self, peer, message):
        return Deferred()

    @on(Ping)
    async def ping_received(self, peer, message):
        await Deferred()


@pytest.mark.parametrize(
    ("words", "who"), [(say(b"1"), "Slow.say_received"), (ping(1), "Slow.ping_received")]
)
def test_r_c9_a_listener_that_is_never_done_does_not_keep_a_peer_for_ever(words, who, log_lines):
    """While it is held, neither its silence nor its end would be noticed."""
    recorder = Recorder()
    stage = node(recorder, Slow(), listener_timeout=500)
    peer = meet(stage)
    peer.dataReceived(words)
    stage.clock.pump([1] * 499)
    assert not peer.transport.aborted
    stage.clock.pump([1] * 2)
    assert peer.transport.aborted
    peer.transport.lose()
    assert lost(recorder).reason is DisconnectReason.INTERNAL
    why = f"tests.net.test_reader.{who} not done after 500 seconds"
    assert str(lost(recorder).cause) == why
    assert sum(f"is given up: {why}" in line for line in log_lines()) == 1
    stage.clock.pump([1] * 2)
    assert not stage.clock.getDelayedCalls()


def test_a_listener_may_take_for_ever_if_that_is_wanted():
    stage = node(Slow(), listener_timeout=None)
    peer = meet(stage)
    peer.dataReceived(say(b"1"))
    stage.clock.pump([100] * 100)
    assert peer.established


def test_each_answer_has_its_own_time():
    listener, deferreds = waiting()
    stage = node(listener, idle_timeout=10_000, listener_timeout=10)
    peer = meet(stage)
    for number in range(5):
        peer.dataReceived(say(b"1"))
        stage.clock.pump([1] * 9)
        deferreds[number].callback(None)
    assert peer.established
    peer.dataReceived(say(b"1"))
    peer.disconnect()
    stage.clock.pump([1] * 4)
    assert not peer.transport.aborted


def test_who_judges_too_long_is_named(log_lines):
    stage = node(Judge(Deferred()), handshake_timeout=30)
    join(stage).dataReceived(GREETING)
    stage.clock.pump([1] * 31)
    assert sum("Judge.version_received not done after 3" in line for line in log_lines()) == 1


def test_a_peer_that_waits_costs_no_ticks():
    listener, _ = waiting()
    stage = node(listener)
    peer = meet(stage)
    stage.clock.advance(5)
    peer.dataReceived(say(b"1"))
    calls = []
    peer._schedule = lambda: calls.append(1)
    stage.clock.pump([1] * 1_000)
    assert len(calls) < 5


def test_closing_holds_back_what_a_listener_has_not_seen():
    heard = Answering(lambda peer, _: peer.disconnect())
    after = Recorder()
    peer = meet(node(heard, after))
    peer.dataReceived(say(b"1") + say(b"2"))
    assert heard.heard == [b"1"]
    assert after.told("message")[-1] == Say(b"1")
    peer.dataReceived(say(b"3"))
    assert heard.heard == [b"1"]
    assert peer.held == 0


# Judging versions


@implementer(IVersionListener)
class Judge:
    def __init__(self, verdict):
        self.verdict = verdict
        self.seen = []

    def version_received(self, peer, version):
        self.seen.append((peer, version))
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


NO = Reject(b"version", 0x11, b"too \x1bold")


async def later(verdict):
    return verdict


@pytest.mark.parametrize("verdict", [None, succeed(None)])
def test_who_is_not_refused_is_welcome(verdict):
    judge = Judge(verdict)
    peer = meet(node(judge))
    assert judge.seen == [(peer, HELLO)]
    assert peer.established


def test_r_c2_a_version_is_judged_before_anything_is_said():
    """R-C2."""
    verdict = Deferred()
    peer = join(node(Judge(verdict)))
    peer.dataReceived(GREETING)
    assert peer.transport.sent == b""
    verdict.callback(None)
    assert commands(peer.transport.sent) == ["version", "verack", "ping"]


def refused(peer, recorder, words):
    assert commands(peer.transport.sent) == words
    assert peer.transport.disconnecting
    assert not peer.transport.aborted
    peer.transport.lose()
    assert not recorder.told("established")
    return lost(recorder)


@pytest.mark.parametrize(
    "verdict", [lambda: NO, lambda: succeed(NO), lambda: later(NO), lambda: later(succeed(NO))]
)
def test_who_is_refused_hears_last_words(verdict):
    recorder = Recorder()
    peer = join(node(Judge(verdict()), recorder))
    peer.dataReceived(GREETING + say(b"x"))
    reason = refused(peer, recorder, ["reject"])
    assert reason.reason is DisconnectReason.REFUSED
    assert str(reason.cause) == r"too \x1bold"
    assert not recorder.told("message")


def test_a_refusal_may_come_late():
    verdict, recorder = Deferred(), Recorder()
    peer = join(node(Judge(verdict), recorder))
    peer.dataReceived(GREETING)
    verdict.callback(NO)
    assert refused(peer, recorder, ["reject"]).reason is DisconnectReason.REFUSED


def test_last_words_need_no_reason():
    recorder = Recorder()
    peer = join(node(Judge(Say(b"no")), recorder))
    peer.dataReceived(GREETING)
    assert str(refused(peer, recorder, ["say"]).cause) == "no reason given"


@pytest.mark.parametrize("verdict", [Refused("busy"), fail(Refused("busy"))])
def test_who_is_refused_without_a_word_hears_nothing(verdict):
    recorder = Recorder()
    peer = join(node(Judge(verdict), recorder))
    peer.dataReceived(GREETING)
    reason = refused(peer, recorder, [])
    assert reason.reason is DisconnectReason.REFUSED
    assert str(reason.cause) == "busy"


def test_a_listener_may_find_any_other_fault_with_a_version():
    recorder = Recorder()
    peer = join(node(Judge(VersionTooOld(1, 2)), recorder))
    peer.dataReceived(GREETING)
    assert refused(peer, recorder, []).reason is DisconnectReason.OBSOLETE


def test_the_first_refusal_counts():
    recorder = Recorder()
    first, second = Judge(NO), Judge(Say(b"me too"))
    peer = join(node(first, second, recorder))
    peer.dataReceived(GREETING)
    assert str(refused(peer, recorder, ["reject"]).cause) == r"too \x1bold"
    assert len(first.seen) == len(second.seen) == 1


def test_of_two_late_refusals_too_the_first_counts():
    recorder = Recorder()
    first, second = Deferred(), Deferred()
    peer = join(node(Judge(first), Judge(second), recorder))
    peer.dataReceived(GREETING)
    second.callback(NO)
    assert peer.transport.sent == b""
    first.callback(Say(b"me too"))
    refused(peer, recorder, ["reject"])


def test_a_verdict_on_a_peer_that_is_gone_changes_nothing():
    verdict, recorder = Deferred(), Recorder()
    peer = join(node(Judge(verdict), recorder))
    peer.dataReceived(GREETING)
    peer.transport.lose()
    verdict.callback(NO)
    assert peer.transport.sent == b""
    assert lost(recorder).reason is DisconnectReason.CLOSED_BY_PEER


def test_last_words_that_cannot_be_said_refuse_all_the_same(logged_failures):
    recorder = Recorder()
    peer = join(node(Judge(Say(bytes(100_001))), recorder))
    peer.dataReceived(GREETING)
    assert refused(peer, recorder, []).reason is DisconnectReason.REFUSED
    assert len(logged_failures.claim(Unencodable)) == 1


async def confused():
    raise ValueError("confused")


@pytest.mark.parametrize(
    "verdict",
    [
        lambda: ValueError("confused"),
        lambda: fail(ValueError("confused")),
        confused,
        lambda: True,
        lambda: succeed("no"),
    ],
    ids=["raised", "failed", "in a coroutine", "neither", "neither, later"],
)
def test_a_judge_that_fails_lets_nobody_in(verdict, logged_failures):
    """Fail closed: who guards a door with a listener wants it shut when that breaks."""
    recorder = Recorder()
    stage = node(Judge(verdict()), recorder)
    peer = join(stage)
    peer.dataReceived(GREETING)
    assert not peer.established
    assert refused(peer, recorder, []).reason is DisconnectReason.REFUSED
    assert stage.listener_failures == 1
    assert len(logged_failures.claim(ValueError, TypeError)) == 1


# Telling without waiting


def test_the_answers_of_those_who_are_only_told_are_not_waited_for(logged_failures):
    class Mourner(PeerListener):
        def __init__(self, answer):
            self.answer = answer

        def peer_lost(self, peer, reason):
            return self.answer(peer)

    never = Deferred()

    async def fails(peer):
        raise ValueError("sad")

    stage = node(
        *[Mourner(answer) for answer in (lambda _: never, fails, lambda _: fail(ValueError("too")))]
    )
    peer = meet(stage)
    peer.transport.lose()
    assert stage.listener_failures == 2
    assert len(logged_failures.claim(ValueError)) == 2


def test_a_full_queue_holds_back_as_a_listener_does():
    recorder = Recorder()
    stage = node(recorder, pause_queue=1_000)
    listener = Answering(lambda peer, text: peer.send(Say(bytes(2_000))))
    stage.add_listener(listener)
    peer = meet(stage, SocketTransport())
    peer.transport.kernel.room = 0
    peer.dataReceived(say(b"1"))
    assert not peer.transport.reading
    peer.dataReceived(say(b"2") + ping(3))
    assert listener.heard == [b"1"]
    peer.transport.make_room(2_027)
    assert peer.transport.kernel.room == 0
    assert listener.heard == [b"1", b"2"]
    peer.transport.make_room(10_000)
    assert listener.heard == [b"1", b"2"]
    assert recorder.told("message")[-1] == Ping(3)
    assert peer.transport.reading


# Listeners that wait for the peer itself


class Inquisitive(PeerListener):
    """Asks in answer to what is said, and waits; notes what it hears meanwhile."""

    def __init__(self, times=1):
        self.times = times
        self.heard = []

    @on(Say)
    def said(self, peer, message):
        self.heard.append(message.text)
        if message.text == b"ask":
            return self.ask(peer)
        return None

    async def ask(self, peer):
        for _ in range(self.times):
            pong = await peer.request(Unknown("quo", bytes([self.times])), Pong)
            self.heard.append(pong.nonce)

    @on(Ping)
    def pinged(self, peer, message):
        self.heard.append(peer.payload)


def pong(nonce):
    return frame(b"pong", nonce.to_bytes(8, "little"))


def test_who_holds_back_the_peer_and_waits_for_its_answer_gets_it():
    listener = Inquisitive()
    peer = meet(node(listener))
    peer.dataReceived(say(b"ask") + say(b"more"))
    assert peer.transport.reading
    assert listener.heard == [b"ask"]
    assert peer.held > 0
    peer.dataReceived(ping(5))
    peer.dataReceived(say(b"yet more") + pong(7) + say(b"last"))
    # Everything else in the order in which it came, with the payload it came with.
    five = (5).to_bytes(8, "little")
    assert listener.heard == [b"ask", 7, b"more", five, b"yet more", b"last"]
    assert peer.payload == b""
    assert peer.held == 0
    assert peer.transport.reading


def test_several_answers_may_come_in_one_read():
    listener = Inquisitive(times=2)
    peer = meet(node(listener))
    peer.dataReceived(say(b"ask"))
    peer.dataReceived(pong(1) + pong(2) + say(b"x"))
    assert listener.heard == [b"ask", 1, 2, b"x"]


def test_what_was_kept_may_make_the_listener_ask_again():
    listener = Inquisitive()
    peer = meet(node(listener))
    peer.dataReceived(say(b"ask") + say(b"a"))
    peer.dataReceived(say(b"ask") + say(b"b"))
    peer.dataReceived(pong(1))
    assert listener.heard == [b"ask", 1, b"a", b"ask"]
    assert peer.transport.reading
    peer.dataReceived(say(b"c"))
    peer.dataReceived(say(b"d") + pong(2))
    assert listener.heard == [b"ask", 1, b"a", b"ask", 2, b"b", b"c", b"d"]
    assert peer.held == 0


def test_without_a_question_nothing_is_read_as_before():
    listener, deferreds = waiting()
    peer = meet(node(listener))
    peer.dataReceived(say(b"1"))
    assert not peer.transport.reading
    peer.dataReceived(say(b"2"))
    assert listener.heard == [b"1"]
    answer = peer.request(Unknown("quo", b""), Pong)  # somebody else asks
    assert peer.transport.reading
    peer.dataReceived(pong(3))
    assert answer.result == Pong(3)
    assert not peer.transport.reading
    deferreds[0].callback(None)
    assert listener.heard == [b"1", b"2"]


def test_a_listener_may_wait_for_the_answer_and_then_for_something_else():
    gate = Deferred()

    class Slow(Inquisitive):
        async def ask(self, peer):
            await super().ask(peer)
            await gate

    listener = Slow()
    peer = meet(node(listener))
    peer.dataReceived(say(b"ask"))
    peer.dataReceived(say(b"a"))
    peer.dataReceived(pong(1))
    assert not peer.transport.reading
    peer.dataReceived(say(b"b"))  # what the kernel had
    peer.dataReceived(say(b"c"))
    assert listener.heard == [b"ask", 1]
    gate.callback(None)
    assert listener.heard == [b"ask", 1, b"a", b"b", b"c"]
    assert peer.transport.reading


def test_an_answer_that_is_not_wanted_any_more_is_not_looked_for():
    listener, deferreds = waiting()
    peer = meet(node(listener))
    peer.dataReceived(say(b"1"))
    answer = peer.request(Unknown("quo", b""), Pong)
    answer.addErrback(lambda _: None)
    peer.dataReceived(say(b"2"))
    assert peer.transport.reading
    answer.cancel()
    assert not peer.transport.reading
    peer.dataReceived(say(b"3"))
    deferreds[0].callback(None)
    deferreds[1].callback(None)
    assert listener.heard == [b"1", b"2", b"3"]


def test_a_full_queue_holds_back_answers_too():
    listener = Inquisitive()
    peer = meet(node(listener, pause_queue=1_000))
    peer.dataReceived(say(b"ask"))
    peer.transport.kernel.room = 0
    peer.send(Say(bytes(3_000)))
    assert not peer.transport.reading
    peer.dataReceived(pong(3))
    assert listener.heard == [b"ask"]
    peer.transport.make_room(10_000)
    assert listener.heard == [b"ask", 3]
    assert peer.transport.reading


def test_a_listener_that_ends_it_when_it_has_its_answer_hears_no_more():
    class Content(Inquisitive):
        async def ask(self, peer):
            await super().ask(peer)
            peer.disconnect()

    listener = Content()
    peer = meet(node(listener))
    peer.dataReceived(say(b"ask") + say(b"a"))
    peer.dataReceived(pong(1) + say(b"b"))
    assert listener.heard == [b"ask", 1]
    assert not peer.established


def test_a_mistake_of_ours_while_looking_for_answers_ends_it(logged_failures):
    recorder = Recorder()
    peer = meet(node(Inquisitive(), recorder))
    peer.dataReceived(say(b"ask"))
    peer.answered = None
    peer.dataReceived(pong(1))
    peer.transport.lose()
    (reason,) = recorder.told("lost")
    assert reason.reason is DisconnectReason.INTERNAL
    assert len(logged_failures.claim(TypeError)) == 1


def test_who_is_read_from_all_the_while_falls_silent_at_the_usual_time():
    listener, deferreds = waiting()
    stage = node(listener, idle_timeout=300.0)
    peer = meet(stage)
    peer.dataReceived(say(b"1"))
    peer.request(Unknown("quo", b""), Pong, timeout=1_000).addErrback(lambda _: None)
    for _ in range(10):
        stage.clock.advance(20)
        peer.dataReceived(say(b"x"))
    deferreds[0].callback(None)
    for answer in deferreds[1:]:
        answer.callback(None)
    assert peer.machine.keepalive.heard_at == stage.clock.seconds()
