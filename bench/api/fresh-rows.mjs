// What is measured on servers that start empty: transactions, watchers and leases.
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { VALUE_BYTES, atOnce } from './data.mjs';
import { generate, pacedPuts, percentile, probe } from './load.mjs';
import { sleep } from './servers.mjs';
import { openWatchers } from './watchers.mjs';

const txn = {
  async run(server, { seconds }) {
    const { perSecond } = await generate(server.targets, { op: 'txn', conns: 10, inflight: 100, seconds });
    return { perSecond };
  },
};

const watchKey = (i) => Buffer.from(`w/${String(i).padStart(8, '0')}`);
const FAN_OUT_KEYS = 1000;
const PUTS_PER_SECOND = 1000;

/** A value that says which put it came with. */
function numbered(i) {
  const value = Buffer.alloc(VALUE_BYTES, 'v');
  value.writeUInt32BE(i, 0);
  return value;
}

/** Watchers of `ranges`, and puts of `keys` keys; latencies from a put to its event are those of one of `sampleEvery` watchers. */
async function watchPuts(server, ranges, { keys, seconds, sampleEvery = 1 }) {
  const sentMs = [];
  let latencies = [];
  const onEvent = (value) => latencies.push(performance.now() - sentMs[value.readUInt32BE(0)]);
  const watchers = await openWatchers(server.targets[0], ranges, { onEvent, sampleEvery });
  const putAt = (i) => {
    sentMs.push(performance.now());
    return pb.PutRequest.create({ key: watchKey((i * 7919) % keys), value: numbered(i) });
  };
  const puts = pacedPuts(server.targets[0], PUTS_PER_SECOND, putAt);
  await sleep(2000);
  latencies = [];
  const [before, cpu, began] = [{ ...watchers.state }, server.cpuSeconds(), performance.now()];
  await sleep(seconds * 1000);
  const [used, took] = [server.cpuSeconds() - cpu, (performance.now() - began) / 1000];
  const [given, responses] = [watchers.state.events - before.events, watchers.state.responses - before.responses];
  const measured = Float64Array.from(latencies).sort();
  await puts.stop();
  watchers.close();
  return {
    perCpuSecond: given / used,
    perSecond: given / took,
    perResponse: given / responses,
    p50: percentile(measured, 0.5),
    p99: percentile(measured, 0.99),
  };
}

const fanOut = {
  run: (server, { seconds }) =>
    watchPuts(
      server,
      Array.from({ length: 1000 }, () => ({ key: Buffer.from('w/'), rangeEnd: Buffer.from('w0') })),
      { keys: FAN_OUT_KEYS, seconds, sampleEvery: 25 },
    ),
};

const manyKeys = {
  run: (server, { seconds }) =>
    watchPuts(
      server,
      Array.from({ length: 10_000 }, (_, i) => ({ key: watchKey(i) })),
      { keys: 10_000, seconds },
    ),
};

const LEASES = 100_000;
const EXPIRING_PER_SECOND = 1000;
const EXPIRE_AFTER_SECONDS = 25;

const leases = {
  async run(server, { seconds }) {
    const channel = createChannel(server.targets[0]);
    const began = performance.now();
    const expiring = EXPIRING_PER_SECOND * seconds;
    const secondsNow = () => (performance.now() - began) / 1000;
    await atOnce(200, LEASES, async (i) => {
      const isExpiring = i < expiring;
      const ttl = isExpiring ? Math.round(EXPIRE_AFTER_SECONDS + Math.floor(i / EXPIRING_PER_SECOND) - secondsNow()) : 3600;
      const { id } = await channel.unary(pb.Lease.methods.leaseGrant, pb.LeaseGrantRequest.create({ ttl }));
      if (!isExpiring) return;
      const key = Buffer.from(`lease/${i}`);
      await channel.unary(pb.KV.methods.put, pb.PutRequest.create({ key, value: Buffer.from('held'), lease: id }));
    });
    const grantedIn = secondsNow();
    if (grantedIn > EXPIRE_AFTER_SECONDS - 2) throw new Error(`granting took ${grantedIn.toFixed(0)} s: some leases have expired before`);
    await sleep((EXPIRE_AFTER_SECONDS - 1) * 1000 - grantedIn * 1000);
    const puts = probe(server.targets[0], 200);
    await sleep((seconds + 3) * 1000);
    const { latencies } = await puts.stop();
    const range = pb.RangeRequest.create({ key: Buffer.from('lease/'), rangeEnd: Buffer.from('lease0'), countOnly: true });
    const { count } = await channel.unary(pb.KV.methods.range, range);
    channel.close();
    return { longest: latencies.at(-1), p99: percentile(latencies, 0.99), left: count };
  },
};

export const freshRows = [
  { name: 'txn', title: 'txn 10 × 100 (/s)', ...txn, nodes: 1, measures: { perSecond: { bar: 5 } } },
  { name: 'txn3', title: 'txn 10 × 100, three nodes (/s)', ...txn, nodes: 3, measures: { perSecond: { bar: 5 } } },
  {
    name: 'fanout',
    title: '1,000 watchers of a prefix, 1,000 puts/s',
    ...fanOut,
    nodes: 1,
    measures: {
      perCpuSecond: { title: 'events per second of server CPU', bar: 3 },
      perSecond: { title: 'events per second' },
      perResponse: { title: 'events in a response' },
      p50: { title: 'p50 put to event (ms)' },
      p99: { title: 'p99 put to event (ms)' },
    },
  },
  {
    name: 'watchers',
    title: '10,000 watchers of 10,000 keys, 1,000 puts/s',
    ...manyKeys,
    nodes: 1,
    measures: { p99: { title: 'p99 put to event (ms)', bar: -1 }, p50: { title: 'p50 put to event (ms)' } },
  },
  {
    name: 'leases',
    title: '100,000 leases, 1,000 expiring a second',
    ...leases,
    nodes: 1,
    measures: {
      longest: { title: 'longest put meanwhile (ms)' },
      p99: { title: 'p99 put (ms)' },
      left: { title: 'keys of expired leases left' },
    },
  },
];
