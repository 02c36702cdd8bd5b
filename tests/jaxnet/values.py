"""Random headers and blocks of both kinds."""

from hypothesis import strategies as st

from bitpeer.jaxnet.header import BeaconHeader, BtcAux, CoinbaseAux, ShardHeader
from tests.bitcoin.values import HASH, HEADER, transactions, uint

HASHES = st.lists(HASH, max_size=3).map(tuple)
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
WEIGHT = uint(8) | uint(300) | st.just(0)
COINBASE_AUX = st.builds(CoinbaseAux, transactions().map(lambda tx: tx.without_witness()), HASHES)
BTC_AUX = st.builds(BtcAux, HEADER, COINBASE_AUX)
BEACON_HEADER = st.builds(
    BeaconHeader,
    version=INT32,
    height=INT32,
    previous_mmr_root=HASH,
    previous_hash=HASH,
    merkle_root=HASH,
    merge_mining_root=HASH,
    bits=uint(32),
    shards=uint(32),
    k=uint(32),
    vote_k=uint(32),
    merge_mining_number=uint(32),
    tree_encoding=st.binary(max_size=300),
    tree_coding_length=uint(32),
    chain_weight=WEIGHT,
    merge_mining_proof=HASHES,
    btc_aux=BTC_AUX,
)
SHARD_HEADER = st.builds(
    ShardHeader,
    height=INT32,
    previous_mmr_root=HASH,
    previous_hash=HASH,
    merkle_root=HASH,
    bits=uint(32),
    chain_weight=WEIGHT,
    merkle_proof=HASHES,
    beacon=BEACON_HEADER,
    beacon_coinbase=COINBASE_AUX,
)
ANY_HEADER = BEACON_HEADER | SHARD_HEADER
