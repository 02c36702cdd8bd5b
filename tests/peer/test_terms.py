"""What a node lends to its machines."""

from bitpeer.peer.terms import Terms
from tests.peer.village import establish, make_terms


def test_terms_are_lent_not_copied() -> None:
    terms = make_terms()
    one, two = establish(terms), establish(terms)
    one.new_trickle()
    two.new_trickle()
    assert one.trickle is not None
    assert one.trickle is not two.trickle
    assert terms.own_nonces == set()


def test_terms_have_room_for_nothing_else() -> None:
    assert not hasattr(make_terms(), "__dict__")
    assert "relay" in Terms.__slots__
