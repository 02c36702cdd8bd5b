"""Peers inside a Twisted program that exists already: here a web server.

    twistd -ny examples/embed.py                and then    curl http://127.0.0.1:8080/

The program had a site; now it has peers as well, and a page that shows them.  Three lines do it:
a listener, a service, and its parent.  In the environment BITPEER_CONNECT names nodes to dial
instead of finding some, BITPEER_NETWORK another network than mainnet, BITPEER_HTTP another
endpoint for the site.
"""

import json
from os import environ

from twisted.application.service import Application, MultiService
from twisted.application.strports import service as listening_service
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from bitpeer import IPeer, PeerConfig, PeerListener, on, peer_service
from bitpeer.bitcoin import NETWORKS, Inv


class Census(PeerListener):
    """Knows who is there, and how much each has announced."""

    def __init__(self) -> None:
        self.announced: dict[IPeer, int] = {}

    def peer_established(self, peer: IPeer, version: object) -> None:
        self.announced[peer] = 0

    def peer_lost(self, peer: IPeer, reason: object) -> None:
        self.announced.pop(peer, None)

    @on(Inv)
    def inventory_came(self, peer: IPeer, inv: Inv) -> None:
        self.announced[peer] += len(inv.items)


class Page(Resource):
    """The page that the site has anyway, with the peers in it."""

    isLeaf = True  # noqa: N815

    def __init__(self, census: Census) -> None:
        Resource.__init__(self)
        self.census = census

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        request.setHeader("Content-Type", "application/json")
        peers = [
            {
                "address": peer.address,
                "inbound": peer.inbound,
                "agent": ascii(peer.user_agent)[2:-1],  # a peer may call itself anything
                "height": peer.known_height,
                "announced": count,
            }
            for peer, count in self.census.announced.items()
        ]
        return json.dumps({"peers": peers}, indent=2).encode() + b"\n"


# The program as it was, but for the census.
application = Application("a-site")
program = MultiService()
program.setServiceParent(application)
census = Census()
site = Site(Page(census))
listening_service(
    environ.get("BITPEER_HTTP", "tcp:8080:interface=127.0.0.1"), site, reactor=reactor
).setServiceParent(program)

# The peers.
named = environ.get("BITPEER_CONNECT", "").split()
config = PeerConfig(network=NETWORKS[environ.get("BITPEER_NETWORK", "mainnet")])
peers = peer_service(config, [census], connect=named, outbound=0 if named else 8, reactor=reactor)
peers.setServiceParent(program)
