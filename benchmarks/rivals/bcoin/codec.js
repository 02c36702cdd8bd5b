'use strict';

// bcoin's packets, timed in memory.  Orders come as lines of JSON:
//   {"do": "inv", "file": ...}      every hash of the payload of an inv
//   {"do": "block", "file": ...}    every field of the payload of a block
//   {"do": "filter", "items": ...}  the filter in which it keeps known inventory
// Each is answered by the seconds of one turn, {"seconds": ...}, or by {"bytes": ...}.

const fs = require('fs');
const readline = require('readline');
const {say} = require('./common');
const RollingFilter = require('bfilter/lib/rolling');
const packets = require('bcoin/lib/net/packets');
const Block = require('bcoin/lib/primitives/block');

function timed(run) {
  const began = process.hrtime();
  const kept = run();
  const [seconds, rest] = process.hrtime(began);
  say({seconds: seconds + rest / 1e9});
  return kept;
}

const orders = {
  inv({file}) {
    const data = fs.readFileSync(file);
    return timed(() => packets.InvPacket.fromRaw(data).items.map(item => item.hash));
  },
  block({file}) {
    const data = fs.readFileSync(file);
    return timed(() => Block.fromRaw(data));
  },
  filter({items}) {
    say({bytes: new RollingFilter(items, 0.000001).filter.length});
  },
};

const lines = readline.createInterface({input: process.stdin});
lines.on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
});
lines.on('close', () => process.exit(0));
say({ready: true});
