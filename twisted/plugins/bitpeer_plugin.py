"""Tells `twistd` that there is a `bitpeer` command.

Every run of `twistd`, with whatever command, may import this module.  It must import neither the
reactor nor anything that might be missing; neither of the folders above it has an `__init__.py`.
"""

from twisted.application.service import ServiceMaker

bitpeer = ServiceMaker("bitpeer", "bitpeer.tap", "Bitcoin-family peer-to-peer node.", "bitpeer")
