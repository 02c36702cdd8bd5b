"""A thousand peers that listen and never say anything (Core advisory of 2024-10-08)."""

from bitpeer.bitcoin.language import DIALECT
from bitpeer.messages.inventory import Inv
from tests.peer.test_noise import framed, handshake, make
from tests.peer.village import item, items, make_terms
from tests.reliability.test_floods import calls

SPIES = 1_000


def work_of_a_flush(announcements: int) -> int:
    """Return the calls it takes to announce so much to all spies, once it is due."""
    terms = make_terms(DIALECT)
    machines = [make(terms, outbound=False) for _ in range(SPIES)]
    for machine in machines:
        list(machine.receive_data(handshake(DIALECT, DIALECT.protocol_version, 2), 0.0))
        for number in range(announcements):
            assert machine.announce(item(number), 0.0)
        machine.data_to_send()

    def flush() -> None:
        for machine in machines:
            machine.flush(10.0)

    work = calls(flush)
    payload = Inv(items(range(announcements))).encode()
    for machine in machines:
        assert b"".join(machine.data_to_send()) == framed(DIALECT, b"inv", payload)
    return work


def test_r_a7_a_thousand_spies_cost_no_more_than_what_they_are_told() -> None:
    few, many = work_of_a_flush(10), work_of_a_flush(40)
    assert few < 200 * SPIES
    assert many < 4 * few
