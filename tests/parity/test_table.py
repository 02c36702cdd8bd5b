"""`docs/parity.md` names tests that exist, and forgets no name of the seed documents."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "parity.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TABLE.splitlines()
    if line.startswith("| `") or (line.startswith("| ") and "`test" in line)
]

# The names in the documentation of dcrd's and of jaxnetd's peer package, section by section.
CONFIG = """
    NewestBlock HostToNetAddress Proxy UserAgentName UserAgentVersion UserAgentComments ChainParams
    Services ProtocolVersion DisableRelayTx Listeners TrickleInterval ChainsPortsProvider
    PublicNodeIPAddress
"""
CALLBACKS = """
    OnGetAddr OnAddr OnPing OnPong OnAlert OnMemPool OnGetMiningState OnMiningState OnTx OnBlock
    OnCFilter OnCFHeaders OnCFCheckpt OnInv OnHeaders OnNotFound OnGetData OnGetBlocks OnGetHeaders
    OnGetCFilters OnGetCFHeaders OnGetCFCheckpt OnFeeFilter OnFilterAdd OnFilterClear OnFilterLoad
    OnMerkleBlock OnVersion OnVerAck OnReject OnSendHeaders OnRead OnWrite
"""
METHODS = """
    AddKnownInventory Addr AssociateConnection BytesReceived BytesSent Connected Disconnect ID
    Inbound IsWitnessEnabled LastAnnouncedBlock LastBlock LastPingMicros LastPingNonce LastPingTime
    LastRecv LastSend LocalAddr NA NewAddress PeerQuit ProtocolVersion PushAddrMsg PushGetBlocksMsg
    PushGetHeadersMsg PushRejectMsg QueueInventory QueueMessage QueueMessageWithEncoding
    RedirectRequested Services StartingHeight StatsSnapshot String TimeConnected TimeOffset
    UpdateLastAnnouncedBlock UpdateLastBlockHeight UserAgent VerAckReceived VersionKnown
    WaitForDisconnect WantsHeaders
"""
OTHERS = """
    MaxProtocolVersion DefaultTrickleInterval MinAcceptableProtocolVersion DisableLog UseLogger
    NewInboundPeer NewOutboundPeer AddrFunc Config HashFunc HostToNetAddrFunc MessageListeners Peer
    StatsSnap AssociatedShardID ID Addr LastSend LastRecv BytesSent BytesRecv ConnTime Version
    UserAgent Inbound StartingHeight LastBlock LastPingNonce LastPingTime LastPingMicros
"""


def test_no_name_of_the_seed_documents_is_missing() -> None:
    named = {match for row in ROWS for match in re.findall(r"`(\w+)`", row[0])}
    wanted = set(f"{CONFIG} {CALLBACKS} {METHODS} {OTHERS}".split())
    assert wanted - named == set()


def test_every_row_names_a_test_that_exists_or_says_what_it_waits_for() -> None:
    assert len(ROWS) > 130
    for row in ROWS:
        proof = row[-1].strip("` ")
        if not proof:
            assert "*waits for" in row[-2], row
            continue
        path, _, name = proof.partition("::")
        folder = ROOT if path.startswith("tests/") else ROOT / "tests" / "parity"
        source = (folder / path).read_text()
        function, _, case = name.partition("[")
        assert not name or f"def {function}(" in source, row
        assert not case or f'"{case.rstrip("]")}"' in source, row
