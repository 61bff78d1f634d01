// Connections that are opened, say what they must, and then nothing more. Prints "open" once all of them stand, and holds them until it is killed.
//
//   node idler.mjs PORT CONNECTIONS STAGE
//
//   silent     not a byte is sent
//   preface    the preface and SETTINGS, and no acknowledgement of the server's
//   idle       a handshake in order, and one call that was answered
import { connect } from 'node:net';
import { PREFACE, frame, requestBlock } from './frames.mjs';

const [port, connections] = process.argv.slice(2, 4).map(Number);
const stage = process.argv[4];
const nothing = Buffer.alloc(0);
const block = requestBlock('/etcdserverpb.KV/Put');
const hello = Buffer.concat([PREFACE, frame(4, 0, 0, nothing)]);
const call = Buffer.concat([frame(4, 1, 0, nothing), frame(1, 4, 1, block), frame(0, 1, 1, Buffer.of(0, 0, 0, 0, 3, 0x0a, 1, 0x6b))]);
/** HEADERS or anything else that ends stream 1: type 1, flags END_STREAM and END_HEADERS. */
const END_OF_CALL = Buffer.of(1, 5, 0, 0, 0, 1);

/** At most so many are being opened at a time: a backlog has its bound. */
const AT_ONCE = 200;
let next = 0;
let open = 0;
const again = () => {
  if (++open === connections) console.log('open');
  else if (next < connections) one();
};

function one() {
  next++;
  let seen = nothing;
  let counted = false;
  const done = () => {
    if (counted) return;
    counted = true;
    again();
  };
  const socket = connect(port, '127.0.0.1', () => {
    if (stage === 'silent') return done();
    socket.write(stage === 'idle' ? Buffer.concat([hello, call]) : hello);
    if (stage === 'preface') done();
  });
  socket.on('data', (bytes) => {
    if (counted) return;
    seen = Buffer.concat([seen, bytes]);
    if (seen.includes(END_OF_CALL)) done();
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
}
for (let i = 0; i < Math.min(AT_ONCE, connections); i++) one();
