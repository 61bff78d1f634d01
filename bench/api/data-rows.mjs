// What is measured on servers that hold the large data set, in the order in which it is done: one session from opening to opening again.
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { KEY_BYTES, save } from './data.mjs';
import { generate, highest, percentile, probe, until } from './load.mjs';
import { sleep } from './servers.mjs';
import { openWatchers } from './watchers.mjs';

// Keys of the data set are digits, or begin with the "k" that fills them up.
const SCAN = { key: Buffer.from('k'), rangeEnd: Buffer.from('l') };
const PAGE = 1000;

async function memory(server) {
  await sleep(2000);
  return { rss: server.rssMiB(), anon: server.anonMiB() };
}

async function ranges(server, { dataset, seconds }) {
  const { perSecond } = await generate(server.targets, {
    op: 'range',
    keys: dataset.keys,
    'key-size': KEY_BYTES,
    conns: 10,
    inflight: 100,
    seconds,
    warmup: 2,
  });
  return { perSecond, rss: server.rssMiB() };
}

/** A server that is late says so, and is asked again. */
async function orLate(call) {
  try {
    return await call;
  } catch (error) {
    if (error.code !== 'unavailable' && error.code !== 'deadline-exceeded') throw error;
    return undefined;
  }
}

/** Page after page from the beginning, at the revision of the first, until `isOver`. */
async function scanPages(channel, isOver) {
  let [key, revision, keys] = [SCAN.key, 0, 0];
  while (!isOver()) {
    const request = pb.RangeRequest.create({ key, rangeEnd: SCAN.rangeEnd, limit: PAGE, revision });
    const page = await orLate(channel.unary(pb.KV.methods.range, request));
    if (page === undefined) continue;
    keys += page.kvs.length;
    revision ||= page.header.revision;
    key = page.more ? Buffer.concat([page.kvs.at(-1).key, Buffer.from([0])]) : SCAN.key;
  }
  return keys;
}

/** From its first page on, which is the one that counts all keys. */
async function scan(server, { seconds }) {
  const channel = createChannel(server.targets[0]);
  const began = performance.now();
  const keys = await scanPages(channel, () => performance.now() - began >= 6 * seconds * 1000);
  const took = (performance.now() - began) / 1000;
  channel.close();
  return { perSecond: keys / took, keys };
}

/** A range of a million keys at once: in pieces where the server can, whole where not. */
async function bigRange(server, { side, dataset }) {
  const channel = createChannel(server.targets[0]);
  const before = server.rssMiB();
  const most = highest(server.rssMiB);
  const puts = probe(server.targets[0], 100);
  await sleep(500);
  const request = pb.RangeRequest.create({ ...SCAN, limit: Math.min(1_000_000, dataset.keys) });
  const began = performance.now();
  let keys = 0;
  if (side === 'ours') {
    const call = channel.stream(pb.KV.methods.rangeStream);
    call.send(request);
    call.finish();
    for await (const { rangeResponse } of call.responses) keys += rangeResponse.kvs.length;
  } else keys = (await channel.unary(pb.KV.methods.range, request)).kvs.length;
  const took = (performance.now() - began) / 1000;
  const { latencies } = await puts.stop();
  channel.close();
  return { took, longest: latencies.at(-1), grown: most() - before, keys };
}

async function catchUp(server, { dataset, patience }) {
  const startRevision = dataset.firstHistory;
  const began = performance.now();
  const { state, close } = await openWatchers(server.targets[0], [{ key: Buffer.from('h/'), rangeEnd: Buffer.from('h0'), startRevision }], {
    conns: 1,
  });
  const isDone = await until(() => state.events >= dataset.history, patience * 1000);
  const took = (performance.now() - began) / 1000;
  close();
  if (isDone) return { took };
  return {
    took: (took * dataset.history) / Math.max(1, state.events),
    note: `gave up after ${took.toFixed(0)} s and ${state.events} events; the rest at that pace`,
  };
}

/** Compactions so that each takes a tenth of what there is to take. */
async function busyPuts(server, { dir, dataset, seconds }) {
  const channel = createChannel(server.targets[0]);
  const step = Math.max(1, Math.floor(dataset.keys / 10 / 128 / 10));
  const revision = Math.min(dataset.compacted + step, dataset.firstHistory - 1);
  if (revision <= dataset.compacted) throw new Error(`nothing is left to compact in ${dir}: load it again`);
  let isOver = false;
  const scanning = scanPages(channel, () => isOver);
  const puts = probe(server.targets[0], 200);
  await sleep(1000);
  const since = performance.now();
  dataset.compacted = revision;
  save(dir, dataset);
  await orLate(channel.unary(pb.KV.methods.compact, pb.CompactionRequest.create({ revision })));
  await sleep(Math.max(1000, Math.max(10, 2 * seconds) * 1000 - (performance.now() - since)));
  const { latencies } = await puts.stop();
  isOver = true;
  await scanning;
  channel.close();
  return { p99: percentile(latencies, 0.99), p50: percentile(latencies, 0.5), longest: latencies.at(-1) };
}

/** Measured while the server is opened and ended, by who does that. */
const OPEN = { run: undefined };

export const dataRows = [
  { name: 'open', title: 'open to ready after a clean stop (s)', ...OPEN, measures: { seconds: { bar: -0.1 } } },
  {
    name: 'memory',
    title: 'resident memory (MiB)',
    run: memory,
    measures: { rss: { title: 'all', bar: -0.15 }, anon: { title: 'without pages of files' } },
  },
  {
    name: 'ranges',
    title: 'ranges of a random key, 10 × 100 (/s)',
    run: ranges,
    measures: { perSecond: { bar: 20 }, rss: { title: 'resident memory after it (MiB)', bar: -0.15 } },
  },
  { name: 'scan', title: 'a scan in pages of 1,000 (keys/s)', run: scan, measures: { perSecond: { bar: 2 } } },
  {
    name: 'bigrange',
    title: '1,000,000 keys in one range',
    run: bigRange,
    measures: { longest: { title: 'longest put meanwhile (ms)' }, grown: { title: 'memory grown by (MiB)' }, took: { title: 'seconds' } },
  },
  { name: 'catchup', title: 'a watcher from 1,000,000 revisions ago (s)', run: catchUp, measures: { took: { bar: -0.5 } } },
  {
    name: 'busyputs',
    title: 'puts while all is scanned and compacted',
    run: busyPuts,
    measures: { p99: { title: 'p99 (ms)', bar: -0.5 }, p50: { title: 'p50 (ms)' }, longest: { title: 'longest (ms)' } },
  },
  { name: 'killed', title: 'open to ready after kill -9 (s)', ...OPEN, measures: { seconds: { bar: -0.1 } } },
];
