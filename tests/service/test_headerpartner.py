from bitpeer.service.headerpartner import MAX_STRANGERS, Partner


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
