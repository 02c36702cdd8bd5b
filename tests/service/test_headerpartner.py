from types import SimpleNamespace

import pytest

from bitpeer.bitcoin.networks import REGTEST
from bitpeer.service.headerpartner import MAX_STRANGERS, MAX_WEIGHED, Partner
from bitpeer.service.headers import HeaderChain


def test_a_partner_waits_while_an_answer_is_due():
    partner = Partner(None, 50)
    assert not partner.waiting
    partner.asked_at = 60.0
    assert partner.waiting


def test_headers_that_nobody_asked_for_have_to_wait():
    partner = Partner(None, 50)
    assert partner.spend(2_000, 50) == 0
    assert partner.spend(2_000, 50) == 0
    assert partner.spend(2_000, 50) == 20
    assert partner.spend(1, 70) == 0.01
    assert partner.spend(4_000, 1_000) == 0
    assert partner.spend(1, 1_000) == 0.01


def test_so_many_interjections_are_too_many():
    partner = Partner(None, 50)
    assert [partner.interjected() for _ in range(MAX_STRANGERS + 2)] == [
        *[False] * MAX_STRANGERS, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inbound", "height", "rank"),
    [(False, 8, (True, True)), (False, 7, (True, False)), (True, 8, (False, True))],
)
def test_who_was_dialled_and_claims_more_is_asked_first(inbound, height, rank):
    assert Partner(SimpleNamespace(inbound=inbound, known_height=height), 0).rank(7) == rank


def test_a_chain_is_weighed_for_as_long_as_its_age_suggests():
    chain, partner = HeaderChain.open(REGTEST), Partner(None, 0)
    assert partner.presync is None
    genesis = chain.rules.genesis
    for age, most in [(-1, 20_000), (600 * 7, 20_070), (1e12, MAX_WEIGHED)]:
        partner.weigh(chain, chain.tip, genesis.time + age)
        assert partner.presync._most == most
        assert partner.presync.next_after == REGTEST.genesis
    chain.close()
