// The rows of the table: which figure of which workload, and what is asked of it. A workload may fill several rows.
//
// `asked` is what closes the issue: a ratio to a peer (at least, or at most where less is better), or a bound on our own figure.

const perSecond = { unit: 'perSecond', better: 'more' };

export const rows = [
  row('fillseq', 'perSecond', 'fill sequential, batches of 1000', { ...perSecond, asked: { classic: 1.5, lmdb: 1 } }),
  row('fillrandom', 'perSecond', 'fill random, batches of 1000', { ...perSecond, asked: { classic: 1.5, lmdb: 4 } }),
  row('fillrandom', 'burstPerSecond', '… until the last batch is accepted', perSecond),
  row('put100', 'perSecond', 'put, not synced, 100 in flight', { ...perSecond, asked: { classic: 2.5 } }),
  row('put1', 'perSecond', 'put, not synced, 1 at a time', { ...perSecond, asked: { classic: 8 } }),
  row('durable100', 'perSecond', 'durable put, 100 in flight', { ...perSecond, asked: { classic: 8, lmdb: 1.5 } }),
  row('durable1', 'perSecond', 'durable put, 1 at a time', perSecond),
  row('durable1', 'overRawSync', '… its median over a raw fdatasync', { unit: 'times', better: 'less', asked: { bound: 1.25 } }),
  row('getsync', 'perSecond', 'getSync, hot', { ...perSecond, asked: { classic: 1.5, tuned: 0.9, lmdb: 0.75 } }),
  row('get', 'perSecond', 'await get, 1 at a time', { ...perSecond, asked: { classic: 12, lmdb: 0.8 } }),
  row('getmany', 'perSecond', 'getMany(100), keys', { ...perSecond, asked: { classic: 1.5 } }),
  row('missing', 'perSecond', 'getSync of missing keys', { ...perSecond, asked: { classic: 2.5, lmdb: 2 } }),
  row('scan', 'perSecond', 'full scan, keys', { ...perSecond, asked: { classic: 3, lmdb: 1.5 } }),
  row('seek10', 'perSecond', 'seek and read 10', { ...perSecond, asked: { classic: 8, lmdb: 1.2 } }),
  row('readwhilewriting', 'readsPerSecond', 'read while writing: reads', { ...perSecond, asked: { classic: 1.5 } }),
  row('readwhilewriting', 'writesPerSecond', 'read while writing: writes', { ...perSecond, asked: { classic: 5 } }),
  row('coldget', 'perSecond', 'cold get, 64 in flight', { ...perSecond, asked: { classic: 1 } }),
  row('coldget', 'residentMiB', '… resident memory', { unit: 'MiB', better: 'less' }),
  row('coldget', 'memoryOverLimit', '… (resident − base) / memory limit', { unit: 'times', better: 'less', asked: { bound: 1.15 } }),
  row('fillrandom', 'writeAmplification', 'bytes written / user bytes, fill random', {
    unit: 'times',
    better: 'less',
    asked: { classic: 1 },
  }),
  row('fillrandom', 'diskRatio', 'disk / user bytes', { unit: 'times', better: 'less', asked: { bound: 1.05 } }),
  row('fillrandom', 'batchP99Ms', 'fill random: p99 of a batch', { unit: 'ms', better: 'less' }),
  row('fillrandom', 'stallMs', 'fill random: longest batch', { unit: 'ms', better: 'less', asked: { bound: 100 } }),
  row('fillrandom', 'pauseMs', 'fill random: longest pause of the loop', { unit: 'ms', better: 'less', asked: { bound: 10 } }),
  row('fillrandom', 'ownPauseMs', '… not waiting for a processor', { unit: 'ms', better: 'less' }),
  row('fillrandom', 'ownPauseCollectingMs', '… of which collecting garbage', { unit: 'ms', better: 'less' }),
  row('fillrandom', 'residentMiB', 'resident memory after the fill', { unit: 'MiB', better: 'less' }),
  row('fillrandom', 'memoryOverLimit', '(peak − base) / memory limit', { unit: 'times', better: 'less', asked: { bound: 1.15 } }),
];

/** What an operation costs the processors, for days on which the machine is busy with other things too. */
export const cpuRows = rows
  .filter(({ figure }) => figure === 'perSecond')
  .map((rate) => row(rate.workload, 'cpuUs', `${rate.label}: CPU`, { unit: 'us', better: 'less' }));

function row(workload, figure, label, rest) {
  return { workload, figure, label, asked: {}, ...rest };
}
