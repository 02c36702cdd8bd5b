"""Transactions between us and a real node, in both directions."""

import pytest
import pytest_twisted

from bitpeer.bitcoin import (
    BloomFilter,
    FeeFilter,
    FilterAdd,
    FilterClear,
    GetData,
    Inv,
    InvType,
    InvVect,
    MemPool,
    NotFound,
    Ping,
    Reject,
    RejectCode,
    Tx,
    TxIn,
)
from tests.interop.bcoin_node import PATIENCE, within


async def submitted(bcoin, kind):
    """Put a new payment into the node's mempool."""
    payment = Tx.decode(await bcoin.payment(kind))
    await bcoin.send_raw_transaction(payment.encode())
    return payment


@pytest.mark.parametrize("kind", ["segwit", "legacy"])
@pytest_twisted.ensureDeferred
async def test_transaction_of_ours_is_asked_for_accepted_and_mined(bcoin, dial, kind):
    peer, ears = await dial(bcoin)
    payment = Tx.decode(await bcoin.payment(kind, outputs=2))
    assert payment.has_witness is (kind == "segwit")
    item = InvVect(InvType.TX, payment.txid)

    wanted = within(PATIENCE, ears.next(GetData))
    assert peer.announce(item)
    assert list((await wanted).items) == [InvVect(InvType.WITNESS_TX, payment.txid)]
    assert peer.knows(item)
    assert not peer.announce(item)

    accepted = within(PATIENCE, bcoin.event("tx", txid=payment.txid.hex()))
    await within(PATIENCE, peer.deliver(payment))
    assert (await accepted)["wtxid"] == payment.wtxid.hex()
    assert payment.txid in await bcoin.mempool()
    assert await bcoin.transaction(payment.txid) == payment.encode()

    (block_hash,) = await bcoin.generate()
    assert payment.encode() in await bcoin.block(block_hash)
    assert payment.txid not in await bcoin.mempool()


@pytest_twisted.ensureDeferred
async def test_transactions_are_announced_together(bcoin, dial):
    peer, ears = await dial(bcoin)
    payments = [Tx.decode(await bcoin.payment("segwit")) for _ in range(3)]
    wanted = within(PATIENCE, ears.next(GetData))
    for payment in payments:
        assert peer.announce(InvVect(InvType.TX, payment.txid))
    assert [item.hash for item in (await wanted).items] == [payment.txid for payment in payments]
    for payment in payments:
        accepted = within(PATIENCE, bcoin.event("tx", txid=payment.txid.hex()))
        peer.send(payment)
        await accepted


@pytest_twisted.ensureDeferred
async def test_transaction_of_theirs_is_announced_fetched_and_the_same(bcoin, dial):
    peer, ears = await dial(bcoin)
    announced = within(PATIENCE, ears.next(Inv))
    payment = await submitted(bcoin, "segwit")
    (item,) = (await announced).items
    assert item == InvVect(InvType.TX, payment.txid)
    assert peer.knows(item)
    assert not peer.announce(item)

    fetched = within(PATIENCE, ears.next(Tx))
    peer.send(GetData([InvVect(InvType.WITNESS_TX, item.hash)]))
    assert await fetched == payment

    fetched = within(PATIENCE, ears.next(Tx))
    peer.send(GetData([item]))
    bare = await fetched
    assert bare == payment.without_witness()
    assert bare.txid == payment.txid
    assert bare.wtxid != payment.wtxid


@pytest_twisted.ensureDeferred
async def test_mempool_is_told_on_request(bcoin, dial):
    payments = [await submitted(bcoin, kind) for kind in ("segwit", "legacy")]
    peer, ears = await dial(bcoin)
    told = within(PATIENCE, ears.next(Inv))
    peer.send(MemPool())
    assert {item.hash for item in (await told).items} >= {payment.txid for payment in payments}


@pytest_twisted.ensureDeferred
async def test_transaction_that_the_node_lacks_is_not_found(bcoin, dial):
    peer, ears = await dial(bcoin)
    item = InvVect(InvType.WITNESS_TX, b"\x17" * 32)
    answered = within(PATIENCE, ears.next(NotFound))
    peer.send(GetData([item]))
    assert list((await answered).items) == [item]


@pytest_twisted.ensureDeferred
async def test_transaction_that_spends_what_is_spent_is_rejected_with_the_reason(bcoin, dial):
    peer, ears = await dial(bcoin)
    first = await submitted(bcoin, "legacy")
    second = Tx(
        [TxIn(*first.inputs[0].outpoint, first.inputs[0].script)], first.outputs, lock_time=1
    )
    wanted = within(PATIENCE, ears.next(GetData, lambda asked: asked.items[0].hash == second.txid))
    peer.announce(InvVect(InvType.TX, second.txid))
    await wanted
    rejected = within(PATIENCE, ears.next(Reject))
    peer.send(second)
    reject = await rejected
    assert reject == Reject(b"tx", RejectCode.DUPLICATE, b"bad-txns-inputs-spent", second.txid)
    assert second.txid not in await bcoin.mempool()


@pytest_twisted.ensureDeferred
async def test_node_announces_only_what_our_filter_matches(bcoin, dial):
    peer, ears = await dial(bcoin)
    address = peer.snapshot().local_address
    other, wanted, added = [
        Tx.decode(await bcoin.payment(kind)) for kind in ("legacy", "segwit", "segwit")
    ]
    bloom = BloomFilter.sized(5, 0.000001, tweak=5)
    bloom.add(wanted.txid)
    loaded = within(PATIENCE, bcoin.event("message", address=address, command="filteradd"))
    peer.send(bloom.to_message())
    peer.send(FilterAdd(added.txid))
    await loaded
    assert (await bcoin.peer(address))["has_filter"]
    for payment in (other, wanted, added):
        heard = within(PATIENCE, ears.next(Inv)) if payment is not other else None
        await bcoin.send_raw_transaction(payment.encode())
        if heard is not None:
            assert list((await heard).items) == [InvVect(InvType.TX, payment.txid)]


@pytest_twisted.ensureDeferred
async def test_node_announces_nothing_below_our_fee_filter(bcoin, dial):
    peer, ears = await dial(bcoin)
    address = peer.snapshot().local_address
    taken = within(PATIENCE, bcoin.event("message", address=address, command="feefilter"))
    peer.send(FeeFilter(21_000_000 * 100_000_000))
    await taken
    cheap = await submitted(bcoin, "segwit")
    taken = within(PATIENCE, bcoin.event("message", address=address, command="feefilter"))
    peer.send(FeeFilter(0))
    await taken
    announced = within(PATIENCE, ears.next(Inv))
    dear = await submitted(bcoin, "segwit")
    assert list((await announced).items) == [InvVect(InvType.TX, dear.txid)]
    assert not peer.knows(InvVect(InvType.TX, cheap.txid))


@pytest_twisted.ensureDeferred
async def test_node_announces_no_transaction_to_those_who_want_none(bcoin, dial):
    peer, ears = await dial(bcoin, relay=False)
    address = peer.snapshot().local_address
    unwanted = await submitted(bcoin, "segwit")
    taken = within(PATIENCE, bcoin.event("message", address=address, command="filterclear"))
    peer.send(FilterClear())  # from here on, it does (BIP 37)
    await taken
    announced = within(PATIENCE, ears.next(Inv))
    payment = await submitted(bcoin, "segwit")
    assert list((await announced).items) == [InvVect(InvType.TX, payment.txid)]
    assert not peer.knows(InvVect(InvType.TX, unwanted.txid))
    asked = within(PATIENCE, ears.next(Ping))
    await bcoin.ping(address)
    await asked
