"""What can be asked, and what answers it."""

from types import SimpleNamespace

import pytest

from bitpeer.bitcoin import BlockHeader, Headers
from bitpeer.errors import Absent, Unencodable
from bitpeer.messages.addresses import Addr, TimedNetAddress
from bitpeer.messages.control import GetAddr, MemPool, Ping, Pong
from bitpeer.messages.filters import (
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inquiry import (
    AT_LEISURE,
    LARGE,
    SOON,
    Fit,
    addresses,
    cfcheckpt,
    cfheaders,
    cfilters,
    filter_topics,
    headers,
    item,
    mempool,
)
from bitpeer.messages.inventory import GetData, Inv, InvVect
from bitpeer.messages.locator import GetHeaders

GENESIS, TIP, STOP, ELSEWHERE = (bytes([each]) * 32 for each in range(4))

CONTEXT = {"version": 5, "genesis": GENESIS, "nonce": 7}


def header(previous: bytes) -> BlockHeader:
    return BlockHeader(1, previous, bytes(32), 0, 0, 0)


def test_an_object_is_asked_for_by_its_kind_and_name() -> None:
    kinds = frozenset({Inv})
    wanted = item("box", 7, b"\1" + bytes(31), kinds, 9)
    assert wanted.what == "box " + 31 * "00" + "01"
    assert wanted.messages == (GetData((InvVect(7, b"\1" + bytes(31)),)),)
    assert wanted.question == ("box", b"\1" + bytes(31))
    assert (wanted.answers, wanted.timeout) == (kinds, 9)
    assert wanted.fit(Inv(())) is Fit.WHOLE
    assert wanted.collect([1, 2]) == 2
    assert wanted.key == item("box", 7, b"\1" + bytes(31), kinds).key
    assert wanted.key != item("box", 8, b"\1" + bytes(31), kinds).key


@pytest.mark.parametrize(
    ("found", "fit"),
    [
        ([], Fit.PART),
        ([header(TIP), header(ELSEWHERE)], Fit.PART),
        ([header(GENESIS)], Fit.PART),
        ([header(ELSEWHERE), header(TIP)], Fit.NOT),
    ],
)
def test_headers_follow_what_the_locator_names_or_the_genesis_block(found, fit) -> None:
    wanted = headers(Headers, [TIP], STOP, **CONTEXT)
    assert wanted.messages == (GetHeaders(5, (TIP,), STOP), Ping(7))
    assert wanted.fit(Headers(found)) is fit
    assert wanted.shared  # new blocks are announced so, too


def test_without_a_locator_one_header_is_asked_for() -> None:
    there = header(ELSEWHERE)
    wanted = headers(Headers, [], there.hash, **CONTEXT)
    assert wanted.fit(Headers([there])) is Fit.PART
    assert wanted.fit(Headers([])) is Fit.PART
    assert wanted.fit(Headers([there, there])) is Fit.NOT
    assert wanted.fit(Headers([header(TIP)])) is Fit.NOT


def test_the_last_headers_before_the_pong_are_the_answer_or_there_are_none() -> None:
    wanted = headers(Headers, [TIP], STOP, **CONTEXT)
    assert wanted.fit(Pong(8)) is Fit.NOT
    assert wanted.fit(Pong(7)) is Fit.WHOLE
    one, two = Headers([header(TIP)]), Headers([header(TIP), header(TIP)])
    assert wanted.collect([one, two, Pong(7)]) == two
    assert wanted.collect([Pong(7)]) == Headers([])
    assert wanted.key == headers(Headers, [TIP], STOP, **{**CONTEXT, "nonce": 8}).key


def test_where_a_header_does_not_say_where_it_belongs_all_do() -> None:
    wanted = headers(Headers, [TIP], STOP, **CONTEXT, parent=None)
    assert wanted.fit(SimpleNamespace(headers=[1])) is Fit.PART


def test_a_single_address_may_be_the_peers_own() -> None:
    address = TimedNetAddress(0, 0, bytes(16), 1)
    wanted = addresses(GetAddr(), frozenset({Addr}))
    assert wanted.messages == (GetAddr(),)
    assert wanted.fit(Addr((address,))) is Fit.MEAGRE
    assert wanted.fit(Addr(())) is Fit.MEAGRE
    assert wanted.fit(Addr((address, address))) is Fit.WHOLE
    assert list(wanted.collect([Addr((address, address))])) == [address, address]
    assert (wanted.shared, wanted.timeout) == (True, AT_LEISURE)


def test_a_mempool_is_the_first_message_of_transactions_and_more_if_that_is_full() -> None:
    wanted = mempool(frozenset({1}))
    assert wanted.messages == (MemPool(),)
    few, block = Inv((InvVect(1, TIP), InvVect(1, STOP))), Inv((InvVect(2, TIP),))
    assert wanted.fit(few) is Fit.WHOLE
    assert wanted.fit(block) is Fit.NOT
    for count in (1_000, 50_000):
        assert wanted.fit(Inv([InvVect(1, TIP)] * count)) is Fit.PART
    assert wanted.collect([few, few]) == [*few.items, *few.items]
    assert wanted.collect([]) == []
    assert wanted.lenient


def test_filters_come_one_by_one_up_to_the_stop() -> None:
    wanted = cfilters(5, STOP, 1, nonce=7)
    assert wanted.messages == (GetCFilters(1, 5, STOP), Ping(7))
    assert wanted.fit(CFilter(1, TIP, b"")) is Fit.PART
    assert wanted.fit(CFilter(1, STOP, b"")) is Fit.WHOLE
    assert wanted.fit(CFilter(0, STOP, b"")) is Fit.NOT
    assert wanted.collect((1, 2)) == [1, 2]
    assert (wanted.timeout, wanted.most) == (LARGE, 1_000)
    assert not wanted.shared


def test_filters_that_have_not_come_before_the_pong_do_not_come() -> None:
    wanted = cfilters(5, STOP, nonce=7)
    assert wanted.fit(Pong(6)) is Fit.NOT
    assert wanted.fit(Pong(7)) is Fit.WHOLE
    assert isinstance(wanted.collect((CFilter(0, TIP, b""), Pong(7))), Absent)


@pytest.mark.parametrize(
    "ask",
    [
        lambda name: item("box", 7, name, frozenset({Inv})),
        lambda name: cfilters(5, name, nonce=7),
        lambda name: cfheaders(5, name),
        cfcheckpt,
    ],
)
def test_text_is_no_hash_and_whoever_tries_is_told_what_is(ask) -> None:
    with pytest.raises(Unencodable, match="hash_from_text"):
        ask("00" * 32)


def test_filter_headers_and_checkpoints_have_a_name() -> None:
    wanted = cfheaders(5, STOP, 1)
    assert wanted.messages == (GetCFHeaders(1, 5, STOP),)
    assert wanted.question == ("cfheaders", STOP)
    assert wanted.fit(CFHeaders(1, STOP, TIP, ())) is Fit.WHOLE
    assert wanted.fit(CFHeaders(0, STOP, TIP, ())) is Fit.NOT
    wanted = cfcheckpt(STOP)
    assert wanted.messages == (GetCFCheckpt(0, STOP),)
    assert wanted.question == ("cfcheckpt", STOP)
    assert wanted.fit(CFCheckpt(0, STOP, ())) is Fit.WHOLE
    assert wanted.timeout == SOON


def test_the_topics_of_filters_need_a_service() -> None:
    topics = filter_topics(64)
    assert set(topics) == {"cfilters", "cfheaders", "cfcheckpt"}
    assert all(topic.services == 64 for topic in topics.values())
    assert topics["cfilters"].arguments == ("nonce",)
    assert topics["cfilters"].ask(1, STOP, nonce=7).messages[0] == GetCFilters(0, 1, STOP)
