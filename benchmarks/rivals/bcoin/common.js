'use strict';

// What both programs need: lines of JSON out, the one dependency that wants to be asked, and the
// hash function.  bcoin's compiled hashes do not build on current versions of Node.js; then its
// own fallback, Node's OpenSSL, is used.

process.env.NODE_BACKEND = 'js';
require('mrmr');
delete process.env.NODE_BACKEND;

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

exports.say = (report) => write(JSON.stringify(report) + '\n');
