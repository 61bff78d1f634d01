// The large data set: loaded once into a directory for each side, and kept for the next run. It is, in order of revisions:
// 1. `keys` keys of 16 bytes with values of 256 bytes, put in scattered order by transactions of 128;
// 2. `spares`: puts of those keys again, by transactions of 128, for compactions to have something to take away;
// 3. `history` single puts of keys below "h/", which the watcher that starts in the past reads.
import fs from 'node:fs';
import { join } from 'node:path';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { start } from './servers.mjs';

const OPS_PER_TXN = 128;
const HISTORY_KEYS = 10_000;
const SCATTER = 7_368_787; // a prime, so that every key comes once

export const KEY_BYTES = 16;
export const VALUE_BYTES = 256;
/** As the load generator names its keys. */
export const keyAt = (i) => Buffer.from(String(i).padStart(KEY_BYTES, 'k').slice(-KEY_BYTES));
/** Differs from key to key, and half of it compresses. */
export function valueAt(i) {
  const value = Buffer.alloc(VALUE_BYTES, 'value of the API benchmark. ');
  let x = (i * 2654435761 + 1) >>> 0;
  for (let at = 0; at < VALUE_BYTES / 2; at++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    value[at] = 33 + ((x >>> 16) % 90);
  }
  return value;
}
export const historyKeyAt = (i) => Buffer.from(`h/${String(i % HISTORY_KEYS).padStart(KEY_BYTES - 2, '0')}`);

/** Loads what is missing; resolves with what there is: `{ keys, history, firstHistory, compacted }`. */
export async function prepare(command, { dir, keys, history, tell }) {
  const file = join(dir, 'dataset.json');
  const wanted = { keys, history };
  if (fs.existsSync(file)) {
    const found = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (found.keys === keys && found.history === history) return found;
    throw new Error(`${dir} holds ${found.keys} keys and ${found.history} revisions of history: delete it, or give its figures`);
  }
  fs.rmSync(dir, { recursive: true, force: true });
  const began = performance.now();
  const server = await start(command, { dir });
  const channel = createChannel(server.targets[0]);
  const progress = teller(tell, began);
  const txns = (what, count, keyOf) =>
    atOnce(8, Math.ceil(count / OPS_PER_TXN), (i) => {
      const size = Math.min(OPS_PER_TXN, count - i * OPS_PER_TXN);
      const success = Array.from({ length: size }, (_, n) => {
        const key = keyOf(i * OPS_PER_TXN + n);
        return { request: { case: 'requestPut', value: pb.PutRequest.create({ key: keyAt(key), value: valueAt(key) }) } };
      });
      progress(what, i * OPS_PER_TXN, count);
      return channel.unary(pb.KV.methods.txn, pb.TxnRequest.create({ success }));
    });
  await txns('keys', keys, (i) => (i * SCATTER) % keys);
  await txns('spares', Math.floor(keys / 10), (i) => (i * SCATTER + 1) % keys);
  const { header } = await channel.unary(pb.KV.methods.range, pb.RangeRequest.create({ key: keyAt(0) }));
  await atOnce(200, history, (i) => {
    progress('history', i, history);
    return channel.unary(pb.KV.methods.put, pb.PutRequest.create({ key: historyKeyAt(i), value: valueAt(i) }));
  });
  channel.close();
  await server.stop();
  const found = { ...wanted, firstHistory: header.revision + 1, compacted: header.revision - Math.floor(keys / 10 / OPS_PER_TXN) };
  save(dir, found);
  return found;
}

export function save(dir, dataset) {
  fs.writeFileSync(join(dir, 'dataset.json'), `${JSON.stringify(dataset)}\n`);
}

/** Runs `act(0)` … `act(count - 1)`, `width` at a time. */
export async function atOnce(width, count, act) {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

function teller(tell, began) {
  let last = 0;
  return (what, done, of) => {
    if (performance.now() - last < 5000) return;
    last = performance.now();
    tell(`${what}: ${done.toLocaleString('en')} of ${of.toLocaleString('en')}, ${Math.round((last - began) / 1000)} s`);
  };
}
