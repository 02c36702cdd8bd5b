'use strict';

// A bcoin full node on regtest, in memory and on loopback, with a pipe to whoever started it.
//
//   NODE_PATH=<where bcoin is installed> node driver.js '{"port": 0}'
//
// Orders arrive on stdin, one JSON object a line: {"id": 1, "order": "generate", "args": [...]}.
// Answers leave on stdout: {"id": 1, "result": ...} or {"id": 1, "error": "..."}; and, between
// them, what happens by itself: {"event": "block", ...}.  The first event is "ready".
// The log goes to stderr.  The process ends when stdin does, so it never outlives its parent.
//
// Hashes are hex in wire order everywhere, as bcoin keeps them inside.

// mrmr is the one dependency that will not run without its compiled half unless it is asked to.
// Asked so, nothing here needs a compiler, and the packages' install scripts need not run.
process.env.NODE_BACKEND = 'js';
require('mrmr');
delete process.env.NODE_BACKEND;

const net = require('net');
const readline = require('readline');
const FullNode = require('bcoin/lib/node/fullnode');
const Peer = require('bcoin/lib/net/peer');
const NetAddress = require('bcoin/lib/net/netaddress');
const packets = require('bcoin/lib/net/packets');
const KeyRing = require('bcoin/lib/primitives/keyring');
const Coin = require('bcoin/lib/primitives/coin');
const MTX = require('bcoin/lib/primitives/mtx');
const TX = require('bcoin/lib/primitives/tx');
const Block = require('bcoin/lib/primitives/block');

const LOOPBACK = '127.0.0.1';
const COINBASE_MATURITY = 100;
const FEE = 20000;

// Stdout carries nothing but our lines; whatever else is printed joins the log.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const say = (line) => write(JSON.stringify(line) + '\n');

// Transactions wait for this many milliseconds to be announced together; five seconds by default.
Peer.INV_INTERVAL = 50;

const settings = JSON.parse(process.argv[2] || '{}');

const node = new FullNode({
  network: 'regtest',
  memory: true,
  listen: true,
  host: LOOPBACK,
  bip37: true,
  compact: true,
  indexTX: true,
  noWallet: true,
  workers: false,
  persistent: false,
  maxInbound: 200,
  discover: false,
  upnp: false,
  seeds: [],
  nodes: [],
  logFile: false,
  logConsole: true,
  logLevel: settings.logLevel || 'debug',
  createSocket: dial,
});

// Nothing leaves this machine: no question to a resolver, no other address dialled, no web server.
node.pool.discoverExternal = async () => {};
node.pool.discoverSeeds = async () => {};
node.http = {open: async () => {}, close: async () => {}};

// The constructor will not take 0, by which the kernel is asked to choose.
node.pool.options.port = settings.port || 0;

function dial(port, host) {
  const socket = new net.Socket();
  if (host === LOOPBACK)
    socket.connect(port, host);
  else
    process.nextTick(() => socket.destroy(new Error(`will not dial ${host}`)));
  return socket;
}

// One key, two addresses: what it mines to them can be spent with and without a witness.
const rings = {};
for (const kind of ['legacy', 'segwit']) {
  rings[kind] = KeyRing.fromPrivate(Buffer.alloc(32, 'bitpeer '), true);
  rings[kind].witness = kind === 'segwit';
}
const coins = {legacy: [], segwit: []};

function harvest(entry, block) {
  const coin = Coin.fromTX(block.txs[0], 0, entry.height);
  const payee = coin.getAddress();
  for (const [kind, ring] of Object.entries(rings)) {
    if (payee && payee.toString('regtest') === ring.getAddress('string', 'regtest') && coin.value > FEE)
      coins[kind].push(coin);
  }
}

function describe(peer) {
  return {
    address: peer.hostname(),
    inbound: !peer.outbound,
    established: peer.handshake,
    version: peer.version,
    services: peer.services,
    user_agent: peer.agent,
    height: peer.height,
    relay: !peer.noRelay,
    prefers_headers: peer.preferHeaders,
    compact_mode: peer.compactMode,
    compact_witness: peer.compactWitness,
    has_filter: peer.spvFilter !== null,
    fee_rate: peer.feeRate,
    ban_score: peer.banScore,
    pings_open: peer.challenge === null ? 0 : 1,
    latency: peer.minPing,
    bytes_received: peer.socket ? peer.socket.bytesRead : 0,
    bytes_sent: peer.socket ? peer.socket.bytesWritten : 0,
  };
}

function peerAt(address) {
  const peer = node.pool.peers.get(address);
  if (!peer)
    throw new Error(`no peer at ${address}`);
  return peer;
}

const orders = {
  async tip() {
    return {hash: node.chain.tip.hash, height: node.chain.height};
  },

  async generate(count, kind) {
    const address = rings[kind].getAddress();
    const hashes = [];
    for (let i = 0; i < count; i++) {
      const block = await node.miner.mineBlock(node.chain.tip, address);
      const entry = await node.chain.add(block);
      hashes.push(entry.hash);
    }
    return hashes;
  },

  // Mine on top of an older block; the chain follows once there is more work.
  async fork(hash, count) {
    const address = rings.legacy.getAddress();
    let tip = await node.chain.getEntry(hash);
    const hashes = [];
    for (let i = 0; i < count; i++) {
      const block = await node.miner.mineBlock(tip, address);
      tip = await node.chain.add(block);
      hashes.push(tip.hash);
    }
    return hashes;
  },

  async block(hash) {
    const raw = await node.chain.getRawBlock(hash);
    return raw ? raw.toString('hex') : null;
  },

  // Judge a block as if it had come from the network; says whether it joined the chain.
  async connect(hex) {
    return await node.chain.add(Block.fromRaw(hex, 'hex')) !== null;
  },

  // A signed transaction that spends the oldest of our ripe coins and pays it back to us.
  async payment(kind, outputs) {
    const coin = coins[kind][0];
    if (!coin || node.chain.height + 1 < coin.height + COINBASE_MATURITY)
      throw new Error(`no ripe ${kind} coin`);
    coins[kind].shift();
    const mtx = new MTX();
    mtx.addCoin(coin);
    const share = Math.floor((coin.value - FEE) / outputs);
    for (let i = 0; i < outputs; i++)
      mtx.addOutput(rings[kind].getAddress(), share);
    if (mtx.sign(rings[kind]) !== 1 || !mtx.verify())
      throw new Error('could not sign');
    return mtx.toRaw().toString('hex');
  },

  async submit(hex) {
    const missing = await node.mempool.addTX(TX.fromRaw(hex, 'hex'));
    if (missing)
      throw new Error('inputs are missing');
  },

  async mempool() {
    return Array.from(node.mempool.map.keys());
  },

  async transaction(hash) {
    const tx = node.mempool.getTX(hash) || await node.chain.getTX(hash);
    return tx ? tx.toRaw().toString('hex') : null;
  },

  async keys() {
    const found = {};
    for (const [kind, ring] of Object.entries(rings)) {
      found[kind] = {
        public_key: ring.getPublicKey('hex'),
        key_hash: ring.getKeyHash('hex'),
        address: ring.getAddress('string', 'regtest'),
      };
    }
    return found;
  },

  async peers() {
    const all = [];
    for (let peer = node.pool.peers.head(); peer; peer = peer.next)
      all.push(describe(peer));
    return all;
  },

  async dial(host, port) {
    const address = NetAddress.fromHostname(`${host}:${port}`, node.network);
    if (!node.pool.peers.get(address.hostname))
      node.pool.peers.add(node.pool.createOutbound(address));
    return address.hostname;
  },

  async hangup(address) {
    peerAt(address).destroy();
  },

  async ping(address) {
    peerAt(address).sendPing();
  },

  // Send a message of any kind to one peer, right or wrong.
  async send(address, command, payload) {
    peerAt(address).sendRaw(command, Buffer.from(payload, 'hex'));
  },

  async stop() {
    await node.close();
    process.nextTick(() => process.exit(0));
  },
};

node.on('error', (error) => process.stderr.write(`${error.stack}\n`));
node.on('connect', harvest);
node.on('connect', (entry, block) => {
  say({event: 'block', hash: entry.hash, height: entry.height, transactions: block.txs.length});
});
node.mempool.on('tx', (tx) => say({event: 'tx', txid: tx.hash('hex'), wtxid: tx.witnessHash('hex')}));
node.pool.on('peer open', (peer) => say({event: 'peer open', ...describe(peer)}));
node.pool.on('peer close', (peer) => say({event: 'peer close', ...describe(peer)}));
node.pool.on('ban', (peer) => say({event: 'ban', ...describe(peer)}));

// Told once the node has dealt with the message.
node.pool.on('packet', (packet, peer) => {
  const unknown = packet.type === packets.types.UNKNOWN;
  const payload = unknown ? packet.data : packet.toRaw();
  say({
    event: 'message',
    address: peer.hostname(),
    command: packet.cmd,
    payload: payload.toString('hex'),
  });
});

async function obey(line) {
  const {id, order, args} = JSON.parse(line);
  try {
    if (!Object.prototype.hasOwnProperty.call(orders, order))
      throw new Error(`no such order: ${order}`);
    const result = await orders[order](...args);
    say({id, result: result === undefined ? null : result});
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    say({id, error: error.message});
  }
}

async function main() {
  const listening = new Promise((resolve) => node.pool.once('listening', resolve));
  await node.open();
  await node.connect();
  node.startSync();
  const {port} = await listening;
  say({event: 'ready', port, height: node.chain.height, hash: node.chain.tip.hash});
  readline.createInterface({input: process.stdin})
    .on('line', obey)
    .on('close', () => process.exit(0));
}

process.on('SIGTERM', () => process.exit(0));
main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
