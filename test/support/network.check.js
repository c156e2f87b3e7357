/** Proof of the pretend network, over real sockets: `node --test test/support/network.check.js`. */
import './check/nameserver.js';
import './check/edge.js';
import './check/faults.js';
import './check/world.js';
