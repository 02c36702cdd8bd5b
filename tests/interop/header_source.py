"""A node that has headers to give, as a process of its own: says where it is, runs until killed."""

import sys

from twisted.internet import reactor
from twisted.logger import globalLogBeginner, textFileLogObserver

from bitpeer import LocalNode, PeerConfig
from bitpeer.bitcoin import REGTEST, Services
from bitpeer.net.factory import PeerFactory
from bitpeer.service.headers import HeaderChain
from bitpeer.service.headerserving import HeaderServer
from tests.chains import mined

HEADERS = 2_016
"""How many it has, the last of them ten minutes old."""


def main() -> None:
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    chain, now = HeaderChain.open(REGTEST), reactor.seconds()
    chain.extend(chain.rules.links(mined(HEADERS, time=int(now) - 600 * HEADERS)), now)
    config = PeerConfig(
        network=REGTEST,
        services=Services.NETWORK | Services.WITNESS,
        newest_block=lambda: chain.tip,
    )
    node = LocalNode(config, clock=reactor)
    node.add_listener(HeaderServer(node, chain))
    port = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface="127.0.0.1")
    sys.stdout.write(f"headers at 127.0.0.1:{port.getHost().port}\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
