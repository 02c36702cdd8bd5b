"""A node with a status page, as a process of its own: says where they are, and runs until killed.

It follows the headers of a second node beside it, and knows more addresses than it will dial.
"""

import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from random import Random

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver

from bitpeer import LocalNode, PeerConfig
from bitpeer.bitcoin import REGTEST, Services
from bitpeer.messages.onion import onion_name
from bitpeer.net.routes import Routes
from bitpeer.service.addressbook import AddressBook
from bitpeer.service.bans import MIGRATIONS, Bans
from bitpeer.service.compose import node_service
from bitpeer.service.database import open_database
from bitpeer.service.events import Events
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from bitpeer.service.headersync import HeaderSync
from bitpeer.service.listening import Listening
from bitpeer.service.overview import Overview
from bitpeer.service.seeds import Address
from bitpeer.service.status.door import StatusPage
from bitpeer.service.watch import Watch
from tests.chains import mined

HEADERS = 2_016
CONFIG = PeerConfig(network=REGTEST, services=Services.NETWORK | Services.WITNESS)


class Quiet(LocalNode):
    """A node that logs nothing."""

    log = Logger(observer=lambda _: None)


def source(now: float) -> MultiService:
    """Return a node that has headers to give."""
    chain = HeaderChain.open(REGTEST)
    chain.extend(chain.rules.links(mined(HEADERS, time=int(now) - 600 * HEADERS)), now)
    node = Quiet(CONFIG, clock=reactor)
    node.add_listener(HeaderSync(node, chain))  # tells the height
    node.add_listener(HeaderServer(node, chain))
    return node_service(node, listen=["127.0.0.1:0"], reactor=reactor)


def port_of(service: MultiService) -> int:
    """Return the port at which peers are accepted."""
    (door,) = (each for each in service if isinstance(each, Listening))
    return door.address[1]


def filled_book(now: float) -> AddressBook:
    """Return a book with addresses of several networks, some of which have answered."""
    book, dice = AddressBook(), Random(7)
    hosts = [str(IPv4Address(dice.randrange(1 << 24, 200 << 24))) for _ in range(900)]
    hosts += [str(IPv6Address(dice.randrange(0x2001 << 112, 0x2A00 << 112))) for _ in range(250)]
    hosts += [onion_name(dice.randbytes(32)) for _ in range(400)]
    for host in hosts:
        address = Address(host, 8333)
        book.learn([address], str(IPv4Address(dice.randrange(1 << 24, 200 << 24))), now)
        if dice.random() < 0.2:
            book.connected(address, now)
    return book


def page(http: str, seconds: Callable[[], float], friend: str) -> MultiService:
    """Return a node that dials *friend*, and its page."""
    node = LocalNode(CONFIG, clock=reactor)
    events = Events(seconds)
    events.follow(node)
    chain = HeaderChain.open(REGTEST)
    sync = HeaderSync(node, chain, emit=events.emit)
    node.add_listener(sync)
    peers = node_service(node, listen=["127.0.0.1:0"], connect=[friend], reactor=reactor)
    overview = Overview(
        node,
        book=filled_book(seconds()),
        chain=chain,
        sync=sync,
        bans=Bans(open_database(None, MIGRATIONS), seconds),
        routes=Routes(reactor),
        doors=peers,
    )
    shown = StatusPage([overview], events, reactor=reactor, journal=node.journal, endpoint=http)
    everything = MultiService()
    for service in (peers, sync, shown, Watch(overview, events)):
        service.setServiceParent(everything)
    return everything


def main(http: str) -> None:
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    services = MultiService()

    def start() -> None:
        friend = source(reactor.seconds())
        friend.setServiceParent(services)
        services.startService()
        page(http, reactor.seconds, f"127.0.0.1:{port_of(friend)}").setServiceParent(services)

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
