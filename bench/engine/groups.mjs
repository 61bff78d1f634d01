// Workloads that share a store, in the order in which they run on it: one process and one fresh directory a group.
import { dropPageCache } from './meters.mjs';
import { coldGet } from './workloads/cold.mjs';
import { checkFill, fillRandom, fillSequential } from './workloads/fill.mjs';
import { readWhileWriting } from './workloads/mixed.mjs';
import { get, getMany, getSync, missing, scan, seek } from './workloads/reads.mjs';
import { checkPuts, durable1, put1, put100 } from './workloads/writes.mjs';

/**
 * - `durable`: how the store is opened.
 * - `fill`: what the other workloads need first; it always runs.
 * - `check`: reads back what was written, from the store opened again.
 * - `isKept`: with `--keep`, a store that a run has filled serves the next one too.
 * - `beforeReopen`: runs while the store is closed between the fill and the other workloads.
 */
export const groups = {
  sequential: { durable: false, fill: { fillseq: fillSequential }, check: checkFill, workloads: {} },
  random: {
    durable: false,
    fill: { fillrandom: fillRandom },
    check: checkFill,
    workloads: { getsync: getSync, get, getmany: getMany, missing, scan, seek10: seek, readwhilewriting: readWhileWriting },
  },
  puts: { durable: false, fill: {}, check: checkPuts, workloads: { put100, put1 } },
  durable: { durable: true, fill: {}, check: checkPuts, workloads: { durable100: put100, durable1 } },
  cold: { durable: false, isKept: true, fill: { coldfill: fillRandom }, beforeReopen: dropPageCache, workloads: { coldget: coldGet } },
};
