"""What can be asked, and what answers it."""

from types import SimpleNamespace

import pytest

from bitpeer.bitcoin import BlockHeader, Headers
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
        ([], Fit.WHOLE),
        ([header(TIP), header(ELSEWHERE)], Fit.WHOLE),
        ([header(GENESIS)], Fit.WHOLE),
        ([header(ELSEWHERE), header(TIP)], Fit.NOT),
    ],
)
def test_headers_follow_what_the_locator_names_or_the_genesis_block(found, fit) -> None:
    wanted = headers(Headers, [TIP], STOP, 5, GENESIS)
    assert wanted.messages == (GetHeaders(5, (TIP,), STOP),)
    assert wanted.fit(Headers(found)) is fit
    assert wanted.shared  # new blocks are announced so, too


def test_without_a_locator_one_header_is_asked_for() -> None:
    there = header(ELSEWHERE)
    wanted = headers(Headers, [], there.hash, 5, GENESIS)
    assert wanted.fit(Headers([there])) is Fit.WHOLE
    assert wanted.fit(Headers([])) is Fit.WHOLE
    assert wanted.fit(Headers([there, there])) is Fit.NOT
    assert wanted.fit(Headers([header(TIP)])) is Fit.NOT


def test_where_a_header_does_not_say_where_it_belongs_all_do() -> None:
    wanted = headers(Headers, [TIP], STOP, 5, GENESIS, parent=None)
    assert wanted.fit(SimpleNamespace(headers=[1])) is Fit.WHOLE


def test_a_single_address_may_be_the_peers_own() -> None:
    address = TimedNetAddress(0, 0, bytes(16), 1)
    wanted = addresses(GetAddr(), frozenset({Addr}))
    assert wanted.messages == (GetAddr(),)
    assert wanted.fit(Addr((address,))) is Fit.MEAGRE
    assert wanted.fit(Addr(())) is Fit.MEAGRE
    assert wanted.fit(Addr((address, address))) is Fit.WHOLE
    assert list(wanted.collect([Addr((address, address))])) == [address, address]
    assert (wanted.shared, wanted.timeout) == (True, AT_LEISURE)


def test_a_mempool_is_what_comes_before_the_pong() -> None:
    wanted = mempool(frozenset({1}), 99)
    assert wanted.messages == (MemPool(), Ping(99))
    few, block = Inv((InvVect(1, TIP), InvVect(1, STOP))), Inv((InvVect(2, TIP),))
    assert wanted.fit(few) is Fit.PART
    assert wanted.fit(block) is Fit.NOT
    assert wanted.fit(Pong(98)) is Fit.NOT
    assert wanted.fit(Pong(99)) is Fit.WHOLE
    assert wanted.collect([few, few, Pong(99)]) == [*few.items, *few.items]
    assert wanted.collect([Pong(99)]) == []
    assert wanted.key == mempool(frozenset({1}), 100).key


def test_filters_come_one_by_one_up_to_the_stop() -> None:
    wanted = cfilters(5, STOP, 1)
    assert wanted.messages == (GetCFilters(1, 5, STOP),)
    assert wanted.fit(CFilter(1, TIP, b"")) is Fit.PART
    assert wanted.fit(CFilter(1, STOP, b"")) is Fit.WHOLE
    assert wanted.fit(CFilter(0, STOP, b"")) is Fit.NOT
    assert wanted.collect((1, 2)) == [1, 2]
    assert (wanted.timeout, wanted.most) == (LARGE, 1_000)
    assert not wanted.shared


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
    assert topics["cfilters"].ask(1, STOP).messages == (GetCFilters(0, 1, STOP),)
