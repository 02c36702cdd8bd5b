"""What happens besides messages."""

from bitpeer.peer.events import Established, VersionReceived
from tests.peer.village import hello


def test_an_introduction_and_an_acquaintance_carry_the_version() -> None:
    assert VersionReceived(hello()).version.user_agent == b"/toy:1/"
    assert Established(hello()).version == hello()
    assert Established(hello()) != VersionReceived(hello())
