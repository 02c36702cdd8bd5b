"""Names, looked up by a real Tor for us."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import deferLater

from bitpeer.errors import ProxyRefused
from bitpeer.net.socks import Proxy, resolve
from tests.interop.bcoin_node import PATIENCE, within
from tests.interop.fence import Fence


async def look_up(client, name):
    """Let Tor look *name* up, behind a fence."""
    place = TCP4ClientEndpoint(reactor, "127.0.0.1", client.socks_port)
    try:
        with Fence(client.places) as fence:
            return await within(
                PATIENCE, resolve(reactor, Proxy(endpoint=place, is_tor=True), name)
            )
    finally:
        assert fence.transgressions == []
        await deferLater(reactor, 0)  # the connection is cut in the reactor's next turn


@pytest.mark.parametrize("address", ["127.0.0.1", "2001:db8::1"])
@pytest_twisted.ensureDeferred
async def test_address_stands_for_itself(tor_client, address):
    assert await look_up(tor_client, address) == address


@pytest_twisted.ensureDeferred
async def test_name_that_no_exit_knows_is_refused(tor_client):
    with pytest.raises(ProxyRefused):
        await look_up(tor_client, "seed.example")


def test_tor_does_not_complain_of_us(tor_client):
    assert "Your application" not in tor_client.log
