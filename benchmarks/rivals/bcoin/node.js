'use strict';

// A bcoin full node on regtest, in memory and on loopback, that logs nothing.
// It says {"port": ...} and ends when its input does.

const {say} = require('./common');
const FullNode = require('bcoin/lib/node/fullnode');

const node = new FullNode({
  network: 'regtest', memory: true, listen: true, host: '127.0.0.1', noWallet: true,
  workers: false, persistent: false, maxInbound: 200, discover: false, upnp: false,
  seeds: [], nodes: [], logFile: false, logConsole: false, logLevel: 'none',
});

// Nothing leaves this machine.
node.pool.discoverExternal = async () => {};
node.pool.discoverSeeds = async () => {};
node.http = {open: async () => {}, close: async () => {}};
node.pool.options.port = 0;

process.stdin.on('end', () => process.exit(0)).resume();
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

(async () => {
  await node.ensure();
  await node.open();
  await node.connect();
  say({port: node.pool.server.address().port});
})();
