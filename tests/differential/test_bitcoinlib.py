"""python-bitcoinlib writes and reads what we write and read, as far as it knows the message."""

from dataclasses import replace
from io import BytesIO
from ipaddress import ip_address

import pytest
from bitcoin import bloom, core, messages as theirs_of, net
from bitcoin.core import script
from hypothesis import given, strategies as st

from bitpeer.bitcoin.bloom import BloomFilter
from tests.differential.values import VALUES, uint

# Its objects take no arguments: make one, then set its fields.


def filled(thing, **fields):
    for name, value in fields.items():
        setattr(thing, name, value)
    return thing


def address(ours, **fields):
    ip = ip_address(ours.ip)
    host = str(ip.ipv4_mapped or ip)
    return filled(net.CAddress(), nServices=ours.services, ip=host, port=ours.port, **fields)


def addr(ours):
    items = [address(item, nTime=item.time) for item in ours.addresses]
    return filled(theirs_of.msg_addr(), addrs=items)


def inventory(kind):
    def translate(ours):
        items = [filled(net.CInv(), type=signed(item.kind), hash=item.hash) for item in ours.items]
        return filled(kind(), inv=items)

    return translate


def signed(number):
    """It takes inventory types and the versions of transactions for signed numbers."""
    return number - 2**32 if number >= 2**31 else number


def locator(kind):
    def translate(ours):
        have = filled(net.CBlockLocator(), nVersion=ours.version, vHave=list(ours.locator))
        return filled(kind(), locator=have, hashstop=ours.stop)

    return translate


def alert(ours):
    signed_warning = filled(net.CAlert(), vchMsg=ours.payload, vchSig=ours.signature)
    return filled(theirs_of.msg_alert(), alert=signed_warning)


def reject(ours):
    return filled(
        theirs_of.msg_reject(),
        message=ours.message,
        ccode=bytes([ours.code]),
        reason=ours.reason,
    )


def version(ours):
    return filled(
        theirs_of.msg_version(),
        nVersion=ours.version,
        nServices=ours.services,
        nTime=ours.time,
        addrTo=address(ours.receiver),
        addrFrom=address(ours.sender),
        nNonce=ours.nonce,
        strSubVer=ours.user_agent,
        nStartingHeight=ours.height,
        fRelay=ours.relay,
    )


def transaction(ours):
    inputs = [
        core.CTxIn(
            core.COutPoint(each.previous_hash, each.previous_index),
            script.CScript(each.script),
            each.sequence,
        )
        for each in ours.inputs
    ]
    outputs = [core.CTxOut(each.value, script.CScript(each.script)) for each in ours.outputs]
    stacks = [core.CTxInWitness(script.CScriptWitness(stack)) for stack in ours.witnesses]
    return core.CTransaction(
        inputs, outputs, ours.lock_time, signed(ours.version), core.CTxWitness(stacks)
    )


def tx(ours):
    return filled(theirs_of.msg_tx(), tx=transaction(ours))


TRANSLATIONS = {
    "tx": tx,
    "version": version,
    "verack": lambda _: theirs_of.msg_verack(),
    "getaddr": lambda _: theirs_of.msg_getaddr(),
    "mempool": lambda _: theirs_of.msg_mempool(),
    "addr": addr,
    "alert": alert,
    "inv": inventory(theirs_of.msg_inv),
    "getdata": inventory(theirs_of.msg_getdata),
    "notfound": inventory(theirs_of.msg_notfound),
    "getblocks": locator(theirs_of.msg_getblocks),
    "getheaders": locator(theirs_of.msg_getheaders),
    "ping": lambda ours: theirs_of.msg_ping(nonce=ours.nonce),
    "pong": lambda ours: theirs_of.msg_pong(nonce=ours.nonce),
    "reject": reject,
}


# It does not know the hash behind a reason, and takes a `version` below 70001 for one without
# the last field.
KNOWN = {
    **VALUES,
    "reject": VALUES["reject"].map(lambda ours: replace(ours, extra=b"")),
    "version": VALUES["version"].map(lambda ours: replace(ours, version=max(ours.version, 70001))),
}


def written(theirs):
    stream = BytesIO()
    theirs.msg_ser(stream)
    return stream.getvalue()


@pytest.mark.parametrize("command", TRANSLATIONS)
@given(data=st.data())
def test_both_write_the_same_bytes_and_read_the_same_values(command, data):
    ours = data.draw(KNOWN[command])
    theirs = TRANSLATIONS[command](ours)
    wire = written(theirs)
    assert ours.encode() == wire
    assert type(ours).decode(wire) == ours
    assert written(type(theirs).msg_deser(BytesIO(ours.encode()))) == wire
    assert type(ours).command.encode() == type(theirs).command


@given(VALUES["tx"])
def test_both_hash_transactions_alike(ours):
    theirs = transaction(ours)
    assert type(ours).decode(ours.encode()).txid == theirs.GetTxid()
    assert type(ours).decode(ours.encode()).wtxid == theirs.GetHash()


@given(VALUES["filterload"])
def test_both_write_and_read_the_same_bloom_filters(ours):
    theirs = bloom.CBloomFilter.deserialize(ours.encode())
    assert (bytes(theirs.vData), theirs.nHashFuncs) == (ours.filter, ours.hash_functions)
    assert (theirs.nTweak, theirs.nFlags) == (ours.tweak, ours.flags)
    assert theirs.serialize() == ours.encode()


@given(
    st.lists(st.binary(min_size=1, max_size=70), min_size=1, max_size=8),
    st.binary(min_size=1, max_size=40),
    st.integers(1, 50),
    uint(32),
)
def test_both_put_the_same_bits_into_a_bloom_filter(elements, bits, hash_functions, tweak):
    # Of how large a filter has to be they are no judge: they divide where Bitcoin Core rounds.
    ours = BloomFilter(bits, hash_functions, tweak)
    theirs = bloom.CBloomFilter.deserialize(ours.to_message().encode())
    for element in elements:
        assert (element in ours) == theirs.contains(element)
        ours.add(element)
        theirs.insert(element)
    assert ours.to_message().encode() == theirs.serialize()
