"""Tests of `bitpeer.testing.script`: it does what it is told, be it good or bad."""

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost

from bitpeer.dialect import Greeting
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.testing import Link, Missing, ScriptedPeer, Simulation, dial, listen
from bitpeer.testing.frames import NotAFrame
from bitpeer.wire.message import Malformed, Unknown
from tests import toy
from tests.toy import Say


class Talk:
    """Two scripted peers who talk to each other."""

    def __init__(self, **link):
        self.simulation = Simulation(seed=1, link=Link(**{"latency": 0.5, **link}))
        self.one, self.other = self.simulation.host("20.0.0.1"), self.simulation.host("20.0.0.2")
        self.run = self.simulation.run
        door = self.run(listen(self.other, "7", toy.NETWORK))
        self.here: ScriptedPeer = self.run(dial(self.one, "20.0.0.2:7", toy.NETWORK))
        self.there: ScriptedPeer = self.run(door.accept())

    def wait(self, seconds=10.0):
        self.simulation.advance(seconds)

    def heard(self):
        """What arrived at the other side."""
        self.wait()
        return self.there.received


@pytest.fixture
def talk():
    return Talk()


def test_nothing_is_said_by_itself(talk):
    talk.here.send(toy.Hello(2, 0, 0, 1), VerAck(), Ping(7))
    talk.wait(1_000)
    assert talk.there.heard(Ping) == talk.there.heard("ping") == [Ping(7)]
    assert len(talk.there.received) == 3
    assert talk.here.received == []
    assert [entry.ours for entry in talk.here.history] == [True] * 3


def test_the_history_keeps_everything_in_order(talk):
    talk.here.send(Ping(1))
    talk.wait(2)
    talk.there.send(Pong(1))
    talk.there.send_bytes(b"rubbish that is no frame, in more than 24 bytes")
    talk.wait(2)
    assert [(round(entry.at, 1), entry.message) for entry in talk.here.history] == [
        (0.0, Ping(1)),
        (2.5, Pong(1)),
    ]
    assert "> Ping(nonce=1)" in str(talk.here.transcript)
    assert isinstance(talk.here.transcript.lost, NotAFrame)
    talk.wait()
    assert talk.there.transcript.lost  # whoever says what is no frame is left


def test_lies_are_told(talk):
    talk.here.lie(Ping(1), checksum=b"good")
    talk.here.lie(Ping(2), payload=b"")
    wrong, short = talk.heard()
    assert isinstance(wrong, Malformed)
    assert isinstance(short, Malformed)


def test_one_can_stall_in_the_middle_of_a_frame(talk):
    talk.here.begin(Say(b"a long story"), 30)
    talk.here.finish()
    assert talk.heard() == [Say(b"a long story")]
    talk.here.begin(Say(b"a long story"), 30)
    talk.wait(1_000)
    assert len(talk.there.received) == 1
    talk.here.finish()
    assert len(talk.heard()) == 2


def test_habits_answer(talk):
    there = talk.there
    there.answer_pings()
    there.answer(Say, lambda say: None if say.text == b"quiet" else Say(say.text.upper()), times=2)
    there.answer("what", lambda _: [Unknown("this", b""), b""], after=3)
    there.answer("what", lambda _: Unknown("that", b""))
    talk.here.send(Ping(5), Say(b"hi"), Say(b"quiet"), Unknown("what", b""))
    talk.wait(2)
    assert talk.here.received == [Pong(5), Say(b"HI"), Say(b"HI"), Unknown("that", b"")]
    talk.wait(3)
    assert talk.here.received[4:] == [Unknown("this", b"")]
    talk.here.close()
    talk.wait()
    assert talk.there.transcript.lost


def test_a_habit_may_be_to_answer_always_the_same(talk):
    talk.there.answer((Ping, Say), iter([Pong(1), b""]), times=2)
    talk.here.send(Ping(5), Say(b"hi"))
    talk.wait()
    assert talk.here.received == [Pong(1)] * 4


def test_habits_can_be_given_up(talk):
    talk.there.answer_pings()
    talk.there.answer(Say, lambda say: say)
    talk.there.stop_answering(Ping)
    talk.here.send(Ping(5), Say(b"hi"))
    talk.wait()
    assert talk.here.received == [Say(b"hi")]


def test_answers_that_were_thought_about_too_long_are_never_given(talk):
    talk.there.answer(Ping, lambda ping: Pong(ping.nonce), after=1)
    talk.there.answer(Say, lambda say: say, after=100)
    talk.here.send(Ping(1))
    talk.wait()
    talk.here.send(Say(b"hi"))
    talk.wait()
    talk.here.close()
    talk.wait(1_000)
    assert talk.here.received == [Pong(1)]
    assert not talk.other.getDelayedCalls()


def test_one_waits_for_the_next_message_such_that(talk):
    async def story():
        waiting = talk.there.expect(Say, lambda say: say.text == b"two")
        talk.here.send(Say(b"one"), Ping(3), Say(b"two"), Say(b"three"))
        assert await waiting == Say(b"two")
        assert await talk.there.expect_next() == Say(b"three")
        talk.here.send(Ping(4))
        assert await talk.there.expect("ping") == Ping(4)
        return "told"

    assert talk.run(story()) == "told"


def test_one_waits_in_vain(talk):
    with pytest.raises(Missing, match="no Say within 5 seconds"):
        talk.run(talk.there.expect(Say, timeout=5))
    with pytest.raises(Missing, match="no Say that fits within 5 seconds"):
        talk.run(talk.there.expect(Say, lambda say: not say.text, timeout=5))
    with pytest.raises(Missing, match="no Say or Pong within 5 seconds"):
        talk.run(talk.there.expect((Say, Pong), timeout=5))
    with pytest.raises(Missing, match="no message within 60 seconds"):
        talk.run(talk.there.expect_next())
    with pytest.raises(Missing, match="no say within 60 seconds"):
        talk.run(talk.there.expect("say"))


def test_one_waits_for_nothing(talk):
    async def story():
        waiting = talk.there.expect_none(Ping, lambda ping: ping.nonce == 9, seconds=10)
        talk.here.send(Ping(1))
        await waiting
        waiting = talk.there.expect_none("ping")
        talk.here.send(Ping(1))
        with pytest.raises(Missing, match="ping came"):
            await waiting

    talk.run(story())


def test_one_waits_for_the_end(talk):
    async def story():
        with pytest.raises(Missing, match="has not ended within 3 seconds"):
            await talk.there.expect_lost(timeout=3)
        waiting = talk.there.expect_lost()
        talk.here.close()
        return await waiting, await talk.there.expect_lost(), await talk.here.expect_lost()

    assert [type(reason) for reason in talk.run(story())] == [ConnectionDone] * 3


def test_waiting_for_the_end_can_be_given_up(talk):
    waiting = talk.there.expect_lost()
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    talk.here.close()
    talk.wait()
    assert talk.there.transcript.lost


def test_a_ping_tells_when_all_has_been_dealt_with(talk):
    talk.there.answer(Ping, lambda ping: (Pong(1), Pong(ping.nonce)))
    before = talk.simulation.elapsed
    assert talk.run(talk.here.sync()) == talk.here.received[-1]
    assert talk.simulation.elapsed == pytest.approx(before + 1)
    talk.there.stop_answering(Ping)
    with pytest.raises(Missing):
        talk.run(talk.here.sync(timeout=5))


def test_hands_are_shaken(talk):
    feature = Unknown("feature", b"")
    here = talk.here.shake_hands(feature, user_agent=b"/here:1/")
    there = talk.there.shake_hands(height=7, version=1)
    heard_here, heard_there = talk.run(here), talk.run(there)
    assert (heard_here.height, heard_here.version) == (7, 1)
    assert (heard_there.user_agent, heard_there.version) == (b"/here:1/", 2)
    assert heard_there.nonce != heard_here.nonce
    assert heard_there.time == 1_700_000_001
    commands = [entry.message.command for entry in talk.here.history if entry.ours]
    assert commands == ["version", "feature", "verack"]


def test_hands_may_be_withheld(talk):
    talk.there.shake_hands(verack=False)
    with pytest.raises(Missing, match="no VerAck within 5 seconds"):
        talk.run(talk.here.shake_hands(timeout=5))
    assert talk.here.heard("version")


def test_an_introduction_can_be_made_by_hand(talk):
    hello = talk.here.introduction(services=9, nonce=1)
    assert hello == toy.greet(
        Greeting(
            version=2,
            services=9,
            time=int(talk.simulation.now),
            nonce=1,
            user_agent=b"/scripted:1/",
            outbound=True,
        )
    )


def test_who_never_reads_hears_nothing(talk):
    talk.there.stop_reading()
    talk.here.send(Ping(1))
    talk.here.close()
    assert talk.heard() == []
    talk.there.read_on()
    assert talk.heard() == [Ping(1)]
    talk.there.read_on()  # of no use any more
    assert isinstance(talk.there.transcript.lost, ConnectionDone)


def test_who_reads_slowly_needs_time():
    talk = Talk(window=1_000, segment=500)
    talk.there.read_slowly(100)
    talk.here.send(*(Say(bytes(100)) for _ in range(100)))
    talk.wait(20)
    assert 5 < len(talk.there.received) < 25
    talk.there.read_on()
    talk.wait(200)
    assert len(talk.there.received) == 100


def test_there_are_three_ways_to_leave():
    for leave, here, there in (
        (lambda peer: peer.close(), ConnectionDone, ConnectionDone),
        (lambda peer: peer.close_writing(), ConnectionDone, ConnectionDone),
        (lambda peer: peer.abort(), ConnectionAborted, ConnectionLost),
    ):
        talk = Talk()
        leave(talk.here)
        talk.wait()
        assert isinstance(talk.here.transcript.lost, here)
        assert isinstance(talk.there.transcript.lost, there)
