from dataclasses import replace
from gc import collect

import pytest
from twisted.logger import globalLogPublisher

from bitpeer.errors import Disconnected, NotEstablished, Unencodable
from bitpeer.messages.addresses import Addr, TimedNetAddress, pack_ip
from bitpeer.messages.control import FeeFilter, Reject, RejectCode
from bitpeer.messages.locator import GetBlocks, GetHeaders
from tests.net.stage import DIALECT, NETWORK, frame, frames, join, meet, node
from tests.toy import Say

STOP = b"s" * 32
ADDRESSES = [
    TimedNetAddress(number, 1, pack_ip("2001:db8::1"), number % 65_536) for number in range(2_500)
]


def said(peer, kind):
    return [kind.decode(data) for name, data in frames(peer.transport.sent) if name == kind.command]


# Addresses


def test_a_few_addresses_are_all_sent_as_they_are():
    peer = meet(node())
    assert peer.push_addresses(ADDRESSES[:3]) == ADDRESSES[:3]
    (addr,) = said(peer, Addr)
    assert list(addr.addresses) == ADDRESSES[:3]


def test_of_too_many_a_random_thousand_is_sent_and_returned():
    """PushAddrMsg (bitcoin.md 7.3): no losses, no duplicates, drawn from all of them."""
    peer = meet(node())
    first, second = peer.push_addresses(ADDRESSES), peer.push_addresses(ADDRESSES)
    assert len(first) == len(set(first)) == 1_000
    assert set(first) <= set(ADDRESSES)
    assert first != second
    assert max(address.time for address in first) > 1_000
    assert [list(addr.addresses) for addr in said(peer, Addr)] == [first, second]


def test_without_addresses_nothing_is_sent():
    peer = meet(node())
    assert len(peer.push_addresses([])) == 0
    assert not said(peer, Addr)


def test_only_what_the_peer_can_be_told_is_sent():
    """The dialect decides, by the peer's wishes (BIP 155)."""

    def tellable(addresses, preference, _):
        wish = preference(FeeFilter)
        return [each for each in addresses if wish is not None and each.time >= wish.fee_rate]

    network = replace(NETWORK, dialect=replace(DIALECT, tellable=tellable))
    peer = meet(node(network=network))
    assert peer.push_addresses(ADDRESSES[:10]) == []
    peer.dataReceived(frame(FeeFilter(8)))
    assert peer.push_addresses(ADDRESSES[:10]) == ADDRESSES[8:10]
    assert len(said(peer, Addr)) == 1


# Requests


@pytest.mark.parametrize(("push", "kind"), [("blocks", GetBlocks), ("headers", GetHeaders)])
def test_requests_carry_our_version_and_what_was_given(push, kind):
    peer = meet(node(protocol_version=2))
    assert getattr(peer, f"push_get_{push}")([b"a" * 32, b"b" * 32], STOP)
    assert getattr(peer, f"push_get_{push}")([b"c" * 32])
    assert said(peer, kind) == [
        kind(2, (b"a" * 32, b"b" * 32), STOP),
        kind(2, (b"c" * 32,), bytes(32)),
    ]


@pytest.mark.parametrize("push", ["push_get_blocks", "push_get_headers"])
def test_the_same_request_twice_in_a_row_is_dropped(push):
    peer = meet(node())
    ask = getattr(peer, push)
    assert ask([b"a" * 32], STOP)
    before = peer.transport.sent
    assert not ask([b"a" * 32], STOP)
    assert not ask([b"a" * 32, b"more" * 8], STOP)
    assert peer.transport.sent == before
    assert ask([b"a" * 32], bytes(32))
    assert ask([b"b" * 32], STOP)
    assert ask([b"a" * 32], STOP)


def test_requests_of_different_kinds_and_peers_do_not_count_as_repeated():
    stage = node()
    peer, other = meet(stage), meet(stage)
    assert peer.push_get_blocks([b"a" * 32])
    assert peer.push_get_headers([b"a" * 32])
    assert other.push_get_blocks([b"a" * 32])


def test_a_request_that_could_not_be_sent_may_be_repeated():
    peer = join(node())
    for _ in range(2):
        with pytest.raises(NotEstablished):
            peer.push_get_blocks([b"a" * 32])
    peer = meet(node())
    for _ in range(2):
        with pytest.raises(Unencodable):
            peer.push_get_headers([b"a" * 32], b"too short")
    assert peer.push_get_headers([b"a" * 32])


# Rejections


def test_a_rejection_names_what_it_rejects_and_tells_when_it_has_left():
    peer = meet(node())
    peer.transport.kernel.room = 0
    done = peer.push_reject("tx", RejectCode.DUST, "too little", b"h" * 32, wait=True)
    assert not done.called
    peer.transport.make_room(1_000)
    assert done.called
    assert said(peer, Reject) == [Reject(b"tx", 0x41, b"too little", b"h" * 32)]


def test_hashes_go_with_transactions_and_blocks_only():
    peer = meet(node())
    peer.push_reject("block", 0x10, "bad")
    peer.push_reject("version", 0x11, "old", b"h" * 32)
    assert [reject.extra for reject in said(peer, Reject)] == [bytes(32), b""]


def test_a_version_without_rejections_gets_none():
    network = replace(NETWORK, dialect=replace(DIALECT, gates={Reject: (70_002, None)}))
    peer = meet(node(network=network))
    assert peer.push_reject("tx", 0x41, "too little", wait=True).called
    assert peer.push_reject("tx", 0x41, "too little") is None
    assert not said(peer, Reject)


def test_before_the_handshake_there_is_nobody_to_reject():
    failure, peer = [], join(node())
    peer.push_reject("tx", 0x41, "x", wait=True).addErrback(failure.append)
    assert failure[0].check(NotEstablished)
    with pytest.raises(NotEstablished):
        peer.push_reject("tx", 0x41, "x")


def test_r_j4_nothing_is_logged_of_a_rejection_that_nobody_waits_for():
    """A Deferred that fails and that nobody has would be logged for each peer that hangs up."""
    said_of_it = []
    globalLogPublisher.addObserver(said_of_it.append)
    try:
        peer = meet(node())
        peer.transport.kernel.room = 0
        peer.push_reject("tx", RejectCode.DUST, "too little")
        peer.transport.lose()
        peer.push_reject("tx", RejectCode.DUST, "too late")
        collect()
    finally:
        globalLogPublisher.removeObserver(said_of_it.append)
    assert not [event for event in said_of_it if event.get("isError")]


def test_after_the_loss_everything_may_be_called_and_nothing_happens():
    peer = meet(node())
    peer.push_get_blocks([b"a" * 32])
    peer.transport.lose()
    before = peer.transport.sent
    assert len(peer.push_addresses(ADDRESSES)) == 0
    assert not peer.push_get_blocks([b"z" * 32])
    assert not peer.push_get_headers([b"z" * 32])
    failure = []
    peer.push_reject("tx", 0x41, "x", wait=True).addErrback(failure.append)
    assert failure[0].check(Disconnected)
    peer.send(Say(b"x"))
    assert peer.transport.sent == before
