"""Tests of what `bitpeer` itself offers."""

import subprocess
import sys

import bitpeer
from bitpeer import bitcoin, decred, jaxnet
from tests.twistd import ROOT, environment

CHECK = """
import sys
import bitpeer
print(*(name for name in sys.modules if name == "twisted.internet.reactor"))
"""


def test_the_public_names_are_these_and_all_are_there():
    assert bitpeer.__all__ == sorted(bitpeer.__all__)
    for name in bitpeer.__all__:
        assert getattr(bitpeer, name) is not None
    assert set(bitpeer.__all__) == {
        *("PeerConfig", "LocalNode", "PeerFactory", "PeerProtocol", "connect", "peer_service"),
        *("IPeer", "IPeerListener", "PeerListener", "on"),
        *("IVersionListener", "ITrafficListener", "IDialListener", "INewestBlock"),
        *("BitpeerError", "LocalError", "RemoteError", "Refused"),
        *("Disconnected", "DisconnectReason", "Unknown", "Malformed"),
        *("PeerGroup", "RequestFailed", "Absent", "Unanswered", "PeerGone", "TooManyRequests"),
        *("AnswerTooLong", "NobodyAnswered", "NotEstablished", "NotNegotiated", "Unencodable"),
        *("InvalidSetting", "bitcoin", "decred", "jaxnet"),
    }


def test_chains_bring_their_messages_and_networks():
    assert bitcoin.MAINNET.title == "bitcoin-mainnet"
    assert bitcoin.Ping(nonce=1).command == "ping"
    assert decred.MAINNET.title == "decred-mainnet"
    assert decred.Ping is bitcoin.Ping
    assert jaxnet.MAINNET.title == "jaxnet-mainnet"
    assert jaxnet.Ping is bitcoin.Ping


def test_r_j6_importing_it_leaves_the_choice_of_the_reactor_to_the_program():
    shown = subprocess.run(
        (sys.executable, "-c", CHECK),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.strip() == ""
