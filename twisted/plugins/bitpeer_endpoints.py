"""Tells Twisted what `socks5:` means in a client endpoint description.

Whatever reads such a description imports this module; see `bitpeer_plugin` for what it may not do.
"""

from twisted.internet.interfaces import (
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
)
from twisted.plugin import IPlugin
from zope.interface import implementer


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class Socks5Parser:
    """Reads ``socks5:proxy:port:host:port``; see `bitpeer.net.proxies.endpoint_from_words`."""

    prefix = "socks5"

    def parseStreamClient(  # type: ignore[override]  # noqa: N802  # all of it is text
        self, reactor: object, *args: str, **kwargs: str
    ) -> IStreamClientEndpoint:
        from bitpeer.net.proxies import endpoint_from_words  # noqa: PLC0415  # only when needed

        return endpoint_from_words(reactor, *args, **kwargs)


socks5 = Socks5Parser()
