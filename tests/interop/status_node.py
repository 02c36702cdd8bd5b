"""A node with a status page, as a process of its own: says where they are, and runs until killed."""

import sys

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.logger import globalLogBeginner, textFileLogObserver

from bitpeer import LocalNode, PeerConfig
from bitpeer.bitcoin import REGTEST, Services
from bitpeer.service.compose import node_service
from bitpeer.service.events import Events
from bitpeer.service.overview import Overview
from bitpeer.service.status.door import StatusPage
from bitpeer.service.watch import Watch


def main(http: str, *connect: str) -> None:
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    services = Services.NETWORK | Services.WITNESS
    node = LocalNode(PeerConfig(network=REGTEST, services=services), clock=reactor)
    events = Events(reactor.seconds)
    events.follow(node)
    peers = node_service(node, listen=["127.0.0.1:0"], connect=connect, reactor=reactor)
    overview = Overview(node, doors=peers)
    page = StatusPage([overview], events, reactor=reactor, journal=node.journal, endpoint=http)
    everything = MultiService()
    for service in (peers, page, Watch(overview, events)):
        service.setServiceParent(everything)
    reactor.callWhenRunning(everything.startService)
    reactor.addSystemEventTrigger("before", "shutdown", everything.stopService)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
