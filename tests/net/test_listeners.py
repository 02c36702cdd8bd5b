import pytest
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from bitpeer.config import BlockPosition
from bitpeer.errors import DecodeError, Disconnected, DisconnectReason, InvalidSetting
from bitpeer.messages.control import Ping, Pong
from bitpeer.messages.inventory import Inv
from bitpeer.net.interfaces import (
    IDialListener,
    INewestBlock,
    IPeerListener,
    ITrafficListener,
    IVersionListener,
)
from bitpeer.net.listeners import Audience, PeerListener, on
from bitpeer.net.text import name_of
from bitpeer.peer.events import Answered, Established, VersionReceived
from bitpeer.wire.message import Malformed, Message, Unknown
from tests.net.stage import HELLO, Recorder
from tests.toy import Say

GONE = Disconnected(DisconnectReason.CLOSED_HERE)


class Watcher(PeerListener):
    """Notes what its methods were called with."""

    def __init__(self):
        self.noted = []

    @on(Ping, Pong)
    def knocked(self, peer, message):
        self.noted.append(("knocked", peer, message))
        return "answer"

    @on(Say)
    def heard(self, peer, say):
        self.noted.append(("heard", peer, say))


def tell(listener, message, peer="peer"):
    """Deliver *message* as a peer would, by each of the two ways there are."""
    answer = listener.message_received(peer, message)
    for receive in audience_of(listener)[type(message)]:
        assert receive(peer, message) == answer
    return answer


def audience_of(*listeners):
    audience = Audience()
    for listener in listeners:
        audience.add(listener)
    return audience


# PeerListener


def test_a_listener_is_one():
    assert verifyClass(IPeerListener, PeerListener)
    assert verifyObject(IPeerListener, Watcher())


def test_a_method_receives_the_kinds_it_names():
    watcher = Watcher()
    assert tell(watcher, Ping(1)) == "answer"
    assert tell(watcher, Pong(2)) == "answer"
    assert tell(watcher, Say(b"x")) is None
    assert watcher.noted == [
        *[("knocked", "peer", Ping(1))] * 2,
        *[("knocked", "peer", Pong(2))] * 2,
        *[("heard", "peer", Say(b"x"))] * 2,
    ]


def test_what_nobody_names_is_received_by_nobody():
    watcher = Watcher()
    assert tell(watcher, Inv(())) is None
    assert tell(watcher, Unknown("news", b"")) is None
    assert not watcher.noted
    assert audience_of(watcher)[Inv] == ()


def test_unknown_and_malformed_messages_are_kinds_too():
    class Curious(PeerListener):
        @on(Unknown, Malformed)
        def odd(self, peer, message):
            return message.command

    assert tell(Curious(), Unknown("news", b"")) == "news"
    assert tell(Curious(), Malformed("say", b"", DecodeError())) == "say"


def test_marks_add_up():
    class Stacked(PeerListener):
        @on(Ping)
        @on(Pong)
        def knocked(self, peer, message):
            return type(message)

    assert tell(Stacked(), Ping(1)) is Ping
    assert tell(Stacked(), Pong(1)) is Pong


def test_a_subclass_adds_methods_and_keeps_those_it_inherits():
    class More(Watcher):
        @on(Inv)
        def announced(self, peer, inv):
            return "more"

    assert tell(More(), Inv(())) == "more"
    assert tell(More(), Ping(1)) == "answer"
    assert tell(Watcher(), Inv(())) is None


def test_an_override_takes_the_place_of_a_marked_method():
    class Quiet(Watcher):
        def knocked(self, peer, message):
            return "quiet"

    assert tell(Quiet(), Ping(1)) == "quiet"


def test_a_new_method_for_a_kind_takes_it_over():
    class Greedy(Watcher):
        @on(Ping)
        def mine(self, peer, message):
            return "mine"

    assert tell(Greedy(), Ping(1)) == "mine"
    assert tell(Greedy(), Pong(1)) == "answer"


def test_of_several_parents_the_first_that_says_something_counts():
    class Base(PeerListener):
        @on(Ping)
        def knocked(self, peer, message):
            return "base"

    class Left(Base):
        pass

    class Right(Base):
        @on(Ping)
        def rung(self, peer, message):
            return "right"

        @on(Inv)
        def announced(self, peer, message):
            return "right"

    class Both(Left, Right):
        pass

    assert tell(Both(), Ping(1)) == "right"
    assert tell(Both(), Inv(())) == "right"


def test_two_methods_for_one_kind_are_a_mistake():
    with pytest.raises(TypeError, match="both one and other listen to Ping"):

        class Torn(PeerListener):
            @on(Ping)
            def one(self, peer, message):
                pass

            @on(Ping)
            def other(self, peer, message):
                pass


@pytest.mark.parametrize("kind", [Message, int, Established])
def test_only_kinds_of_message_can_be_named(kind):
    with pytest.raises(TypeError, match="is no kind of message"):
        on(kind)


def test_who_overrides_message_received_gets_everything():
    class Everything(Watcher):
        def message_received(self, peer, message):
            return type(message)

    for message in (Ping(1), Inv(()), Unknown("news", b"")):
        assert tell(Everything(), message) is type(message)


def test_the_other_moments_pass_unnoticed_by_default():
    assert PeerListener().peer_established("peer", HELLO) is None
    assert PeerListener().peer_lost("peer", GONE) is None


# Audience


@implementer(IVersionListener)
class Judge:
    def version_received(self, peer, version):
        return ("judged", version)


@implementer(ITrafficListener)
class Counter:
    def message_read(self, peer, command, size, message, error):
        pass

    def message_written(self, peer, command, size, message, error):
        pass


@implementer(INewestBlock)
class Chain:
    def __init__(self, height):
        self.height = height

    def newest_block(self):
        return BlockPosition(bytes(32), self.height)


class Host:
    """A peer, as far as an audience knows one."""

    introductions = 0

    def judged_by(self, judge, version):
        return ("by", judge(self, version))

    def introduced(self):
        self.introductions += 1


def test_listeners_are_called_in_the_order_they_came():
    calls = []

    class Numbered(Recorder):
        def __init__(self, number):
            super().__init__()
            self.number = number

        def message_received(self, peer, message):
            calls.append(self.number)

    audience = audience_of(Numbered(1), Numbered(2), Watcher(), Numbered(3))
    assert len(audience[Ping]) == 4
    assert len(audience[Inv]) == 3
    for receive in audience[Inv]:
        receive("peer", Inv(()))
    assert calls == [1, 2, 3]


def test_the_table_is_made_once_and_anew_when_somebody_joins():
    audience = audience_of(Watcher())
    assert audience[Ping] is audience[Ping]
    audience.add(Recorder())
    assert len(audience[Ping]) == 2


def test_establishment_is_told_with_the_version_and_then_to_the_peer_itself():
    recorder, host = Recorder(), Host()
    receivers = audience_of(recorder, Judge())[Established]
    assert len(receivers) == 2
    for receive in receivers:
        receive(host, Established(HELLO))
    assert recorder.log == [("established", host, HELLO)]
    assert host.introductions == 1


def test_a_version_is_judged_by_those_who_judge_versions():
    (receive,) = audience_of(Recorder(), Judge())[VersionReceived]
    assert receive(Host(), VersionReceived(HELLO)) == ("by", ("judged", HELLO))


def test_receivers_bear_the_names_of_the_methods_they_call():
    audience = audience_of(Judge(), Watcher())
    names = [name_of(each) for kind in (VersionReceived, Established) for each in audience[kind]]
    assert names[:2] == [
        "tests.net.test_listeners.Judge.version_received",
        "bitpeer.net.listeners.PeerListener.peer_established",
    ]


def test_answers_are_for_those_who_asked_and_for_no_listener():
    class Asked:
        def answered(self, event):
            self.event = event

    peer, event, recorder = Asked(), Answered(()), Recorder()
    (receive,) = audience_of(recorder)[Answered]
    assert receive(peer, event) is None
    assert peer.event is event
    assert not recorder.log


def test_loss_is_told_to_those_who_listen_to_peers():
    recorder = Recorder()
    (receive,) = audience_of(Judge(), recorder)[Disconnected]
    receive("peer", GONE)
    assert recorder.log == [("lost", "peer", GONE)]


def test_those_who_count_traffic_are_known():
    counter, recorder = Counter(), Recorder()
    audience = audience_of(counter, Judge(), recorder)
    assert audience.traffic == (counter, recorder)
    assert len(audience[Ping]) == 1


@implementer(IDialListener)
class Dials:
    """Wants to know of dials, and of nothing else."""


def test_those_who_want_to_know_of_dials_are_known():
    dials = Dials()
    audience = audience_of(Watcher(), dials)
    assert audience.dials == (dials,)
    assert len(audience[Say]) == 1
    audience.remove(dials)
    assert audience.dials == ()


def test_the_first_who_knows_the_newest_block_is_asked():
    assert audience_of(Watcher()).newest_block is None
    audience = audience_of(Chain(3), Chain(5))
    assert audience.newest_block().height == 3


def test_who_is_removed_hears_of_nothing_any_more():
    stays, goes = Watcher(), Watcher()
    audience = audience_of(stays, goes, Counter())
    assert len(audience[Say]) == 2
    audience.remove(goes)
    assert [receive.__self__ for receive in audience[Say]] == [stays]
    audience.remove(goes)
    assert len(audience[Say]) == 1
    (counter,) = audience.traffic
    audience.remove(counter)
    assert audience.traffic == ()


def test_when_the_first_who_knows_the_newest_block_is_removed_the_next_is_asked():
    first, second = Chain(3), Chain(4)
    audience = audience_of(Watcher(), first, second)
    audience.remove(first)
    assert audience.newest_block().height == 4
    audience.add(first)
    assert audience.newest_block().height == 4
    audience.remove(second)
    assert audience.newest_block().height == 3
    audience.remove(first)
    assert audience.newest_block is None


def test_a_listener_that_listens_to_nothing_is_a_mistake():
    with pytest.raises(InvalidSetting, match="IPeerListener, IVersionListener"):
        Audience().add(object())
