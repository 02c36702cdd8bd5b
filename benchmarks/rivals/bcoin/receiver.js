'use strict';

// bcoin's parser behind a socket.  It says {"port": ...}, then, at the end of each connection,
// {"count": ..., "seconds": ...}: how many messages it parsed after the handshake, and how much
// time of the processor that took, or how much time in all if that was less: Node.js collects
// garbage on other threads.  It answers the greeting and the ping that ends it, nothing else.

const net = require('net');
const {say} = require('./common');
const Framer = require('bcoin/lib/net/framer');
const Parser = require('bcoin/lib/net/parser');
const packets = require('bcoin/lib/net/packets');

const framer = new Framer('regtest');

const server = net.createServer({allowHalfOpen: true}, (socket) => {
  const parser = new Parser('regtest');
  let count = 0;
  let began = null;
  const answer = (packet) => socket.write(framer.packet(packet.cmd, packet.toRaw()));
  parser.on('error', (error) => { throw error; });
  parser.on('packet', (packet) => {
    count++;
    if (began === null) {
      if (packet.cmd === 'version')
        answer(packet);
      else if (packet.cmd === 'verack')
        answer(packet);
      else if (packet.cmd === 'ping') {
        answer(new packets.PongPacket(packet.nonce));
        count = 0;
        began = [process.hrtime(), process.cpuUsage()];
      }
    }
  });
  socket.on('data', (data) => parser.feed(data));
  socket.on('end', () => {
    const [seconds, rest] = process.hrtime(began[0]);
    const cpu = process.cpuUsage(began[1]);
    say({count, seconds: Math.min(seconds + rest / 1e9, (cpu.user + cpu.system) / 1e6)});
    socket.end();
  });
  socket.on('error', () => {});
});

server.listen(0, '127.0.0.1', () => say({port: server.address().port}));
process.stdin.on('end', () => process.exit(0)).resume();
