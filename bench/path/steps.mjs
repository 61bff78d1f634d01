// The steps that the processor time of a member's event loop is told by, and their shares in a CPU profile.

/** What a function belongs to, by its file and its name, or its caller's; the first that fits. */
const steps = [
  ['waiting', ({ functionName }) => functionName === '(idle)'],
  ['garbage collector', ({ functionName }) => functionName === '(garbage collector)'],
  [
    'socket: read, write',
    ({ functionName, url }, { url: caller }) =>
      /^(writev|writeUtf8String)$/.test(functionName) ||
      (functionName === 'writeBuffer' && !caller.startsWith('node:fs')) ||
      /^node:(internal\/(stream|streams)|net|_stream|stream|tty)/.test(url) ||
      url.includes('env/dist/node/net'),
  ],
  [
    'disk calls (write, sync)',
    ({ functionName, url }) => /^(writeBuffer|fdatasync|fsync|read)$/.test(functionName) && !url.includes('/dist/'),
  ],
  ['frames, HPACK, flow control', ({ url }) => url.includes('/http2/dist/')],
  ['calls: route, frame, status', ({ url }) => url.includes('/grpc/dist/')],
  ['protobuf', ({ url }) => url.includes('/proto/dist/')],
  ['services: check, header', ({ url }) => url.includes('/server/dist/services/')],
  ['messages of members', ({ url }) => url.includes('/server/dist/peers/')],
  ['consensus: propose, read index', ({ url }) => url.includes('/raft/dist/') || url.includes('/server/dist/replica/')],
  [
    'log: encode, append',
    ({ url }) =>
      url.includes('/server/dist/raft-log/') || url.includes('/lsm/dist/log-file') || url.includes('crc32') || url.includes('node:zlib'),
  ],
  ['apply: revisions, leases, watches', ({ url }) => url.includes('/mvcc/dist/')],
  ['engine: memtable, reads', ({ url }) => url.includes('/lsm/dist/')],
  [
    'promises, timers, turns',
    ({ functionName, url }) =>
      /^node:internal\/(timers|process|async_hooks|promise)/.test(url) || /Microtasks|processTicks/.test(functionName),
  ],
  ['the rest of Node and V8', () => true],
];

export const stepNames = steps.map(([name]) => name).filter((name) => name !== 'waiting');

/** The share that each step has in what was not waited, in the part of a profile from one to another time of the monotonic clock (microseconds). */
export function sharesOf(profile, fromUs, toUs) {
  const callers = new Map(profile.nodes.flatMap(({ callFrame, children = [] }) => children.map((child) => [child, callFrame])));
  const nobody = { functionName: '', url: '' };
  const stepOf = new Map(
    profile.nodes.map(({ id, callFrame }) => [id, steps.find(([, fits]) => fits(callFrame, callers.get(id) ?? nobody))[0]]),
  );
  const sums = new Map(stepNames.map((name) => [name, 0]));
  let total = 0;
  let at = profile.startTime;
  for (const [i, delta] of profile.timeDeltas.entries()) {
    at += delta;
    const step = stepOf.get(profile.samples[i]);
    if (at < fromUs || at > toUs || step === 'waiting') continue;
    sums.set(step, sums.get(step) + delta);
    total += delta;
  }
  return new Map([...sums].map(([name, us]) => [name, us / Math.max(1, total)]));
}
