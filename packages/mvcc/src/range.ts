// Reading a range of keys as of a revision: fetch in key order, filter, sort, cut, in the order that etcd does it
// (its server/etcdserver/txn/range.go). The work comes in steps, so that a caller on the event loop can let others run.
import { EMPTY, type Revision, revision } from '@distrokv/base';
import type { KeyIterator, KeyValue as Entry, Keyspace } from '@distrokv/lsm';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type KeyRange, isEmptyRange, keyRange } from './key-range.ts';
import type { KnownCounts } from './known-counts.ts';
import { type KeyRecord, decodeRecord } from './record.ts';
import { StoreLimitError } from './errors.ts';
import { type Order, sortSteps } from './sort.ts';
import { StepWork, type Steps } from './steps.ts';

/** Most bytes of keys and values that one answer gathers, and `PAIR_BYTES` for each pair of them: a little of what it takes in memory. */
export const MAX_RANGE_BYTES: number = 512 * 1024 * 1024;
const PAIR_BYTES = 64;

export interface RangeResult {
  readonly kvs: mvccpb.KeyValue[];
  /** More keys than `limit` allowed. */
  readonly more: boolean;
  /** All keys of the range at the revision, whatever limit and filters say. */
  readonly count: number;
}

/** How a range is read: `known` are counts of ranges as of revisions that are applied, if `at` is one; `patient`: a step may wait for the disk. */
export interface RangeReading {
  readonly at: Revision;
  readonly known?: KnownCounts;
  readonly patient: boolean;
}

/** Yields between slices of work; the result is as of revision `at`, whatever is written or compacted once the first step is done. */
export function* rangeSteps(kv: Keyspace, request: pb.RangeRequest, { at, known, patient }: RangeReading): Steps<RangeResult> {
  const range = keyRange(request.key, request.rangeEnd);
  if (isEmptyRange(range)) return { kvs: [], more: false, count: 0 };
  if (range.single) return resultOf(request, patient ? yield* entryOf(kv, request.key, at) : kv.getEntrySync(request.key, at));

  const filtered = hasFilters(request);
  const fetchAll = filtered || request.sortOrder !== pb.SortOrder.NONE;
  const wanted = request.countOnly ? 0 : fetchAll || request.limit <= 0 ? Infinity : request.limit + 1;
  const kvs: mvccpb.KeyValue[] = [];
  const total = known?.get(range, at);
  if (total !== undefined && wanted === 0) return { kvs, more: false, count: total };
  let count = 0;
  let bytes = 0;
  const work = new StepWork();
  const keys = kv.iterator({ gte: range.from, ...(range.to && { lt: range.to }), at, keysOnly: request.countOnly, patient });
  try {
    for (let has = keys.advance(); has !== false; has = keys.advance()) {
      if (has !== true) {
        yield has;
        continue;
      }
      count++;
      if (total !== undefined && kvs.length === wanted) break;
      let valueBytes = 0;
      if (kvs.length < wanted) {
        const record = decodeRecord(keys.value);
        if (!filtered || passesFilters(request, record, keys.version)) {
          const found = toKeyValue(request, keys, record);
          valueBytes = found.value.length;
          bytes += PAIR_BYTES + found.key.length + valueBytes;
          if (bytes > MAX_RANGE_BYTES) throw new StoreLimitError(MAX_RANGE_BYTES);
          kvs.push(found);
        }
      }
      if (work.add(valueBytes)) yield;
    }
  } finally {
    keys.close();
  }
  count = total ?? count;
  known?.note(range, at, count);
  const cut = yield* sortAndCut(request, kvs);
  if (!fetchAll && cut.more) noteRest(known, range, at, cut.kvs.at(-1)?.key, count - cut.kvs.length);
  return { ...cut, count };
}

/** Whoever reads on does so behind the last key. */
function noteRest(known: KnownCounts | undefined, range: KeyRange, at: Revision, last: Uint8Array | undefined, count: number): void {
  if (known && last) known.note({ ...range, from: Buffer.concat([last, Uint8Array.of(0)]) }, at, count);
}

/** Keys of the first chunk: whoever waits for it sees something soon. */
const FIRST_CHUNK_KEYS = 10;

/** Yields chunks of keys, and between slices of work without one what a step yields. */
export type RangeChunks = Generator<mvccpb.KeyValue[] | Promise<unknown> | undefined, RangeResult, undefined>;

/** A range in key order without filters, in chunks of at most `maxBytes` or one key. The result has the last of them. */
export function* rangeChunks(kv: Keyspace, request: pb.RangeRequest, at: Revision, maxBytes: number, known: KnownCounts): RangeChunks {
  const range = keyRange(request.key, request.rangeEnd);
  if (isEmptyRange(range)) return { kvs: [], more: false, count: 0 };
  if (range.single) return resultOf(request, yield* entryOf(kv, request.key, at));
  const wanted = request.countOnly ? 0 : request.limit > 0 ? request.limit : Infinity;
  let chunk: mvccpb.KeyValue[] = [];
  let chunkBytes = 0;
  let sent = 0;
  let count = 0;
  const total = known.get(range, at);
  const work = new StepWork();
  const keys = kv.iterator({ gte: range.from, ...(range.to && { lt: range.to }), at, keysOnly: request.countOnly, patient: true });
  try {
    for (let has = keys.advance(); has !== false; has = keys.advance()) {
      if (has !== true) {
        yield has;
        continue;
      }
      if (total !== undefined && count >= wanted) break;
      let valueBytes = 0;
      if (count++ < wanted) {
        const found = toKeyValue(request, keys, decodeRecord(keys.value));
        valueBytes = found.value.length;
        const bytes = found.key.length + valueBytes;
        if (chunk.length > 0 && (chunkBytes + bytes > maxBytes || (sent === 0 && chunk.length >= FIRST_CHUNK_KEYS))) {
          yield chunk;
          sent += chunk.length;
          chunk = [];
          chunkBytes = 0;
        }
        chunk.push(found);
        chunkBytes += bytes;
      }
      if (work.add(valueBytes)) yield undefined;
    }
  } finally {
    keys.close();
  }
  count = total ?? count;
  known.note(range, at, count);
  const more = !request.countOnly && count > wanted;
  if (more) noteRest(known, range, at, chunk.at(-1)?.key, count - wanted);
  return { kvs: chunk, more, count };
}

/** What there is of a key, in a step or two. */
export function* entryOf(kv: Keyspace, key: Uint8Array, at: Revision): Steps<Entry | undefined> {
  const found = kv.getEntry(key, at);
  if (!(found instanceof Promise)) return found;
  let read: Entry | undefined;
  yield found.then((entry) => (read = entry));
  return read;
}

function resultOf(request: pb.RangeRequest, found: Entry | undefined): RangeResult {
  if (!found) return { kvs: [], more: false, count: 0 };
  const record = decodeRecord(found.value);
  if (request.countOnly || !passesFilters(request, record, found.version)) return { kvs: [], more: false, count: 1 };
  const value = request.keysOnly ? EMPTY : record.value;
  return { kvs: [keyValue(request.key, found.version, record, value)], more: false, count: 1 };
}

function toKeyValue(request: pb.RangeRequest, keys: KeyIterator, record: KeyRecord): mvccpb.KeyValue {
  const keepValue = !request.keysOnly || request.sortTarget === pb.SortTarget.VALUE;
  return keyValue(Buffer.from(keys.key), keys.version, record, keepValue ? Buffer.from(record.value) : EMPTY);
}

export function keyValue(key: Uint8Array, modRevision: number, record: KeyRecord, value: Uint8Array = record.value): mvccpb.KeyValue {
  return {
    key,
    createRevision: record.createRevision,
    modRevision: revision(modRevision),
    version: record.version,
    value,
    lease: record.lease,
  };
}

function hasFilters(r: pb.RangeRequest): boolean {
  return r.minModRevision !== 0 || r.maxModRevision !== 0 || r.minCreateRevision !== 0 || r.maxCreateRevision !== 0;
}

function passesFilters(r: pb.RangeRequest, record: KeyRecord, modRevision: number): boolean {
  const within = (value: number, min: number, max: number): boolean => (min === 0 || value >= min) && (max === 0 || value <= max);
  return within(modRevision, r.minModRevision, r.maxModRevision) && within(record.createRevision, r.minCreateRevision, r.maxCreateRevision);
}

function* sortAndCut(request: pb.RangeRequest, found: mvccpb.KeyValue[]): Steps<{ kvs: mvccpb.KeyValue[]; more: boolean }> {
  // A target other than the key sorts even where no order was asked for; keys come in ascending order by themselves.
  const isDescending = request.sortOrder === pb.SortOrder.DESCEND;
  let kvs = found;
  if (request.sortTarget !== pb.SortTarget.KEY) kvs = yield* sortSteps(kvs, orderOf(request.sortTarget, isDescending));
  else if (isDescending) kvs.reverse();
  const more = request.limit > 0 && kvs.length > request.limit;
  if (more) kvs.length = request.limit;
  // Values that were read for the sake of the order alone.
  const work = new StepWork();
  if (request.keysOnly && request.sortTarget === pb.SortTarget.VALUE)
    for (const [i, kv] of kvs.entries()) {
      kvs[i] = { ...kv, value: EMPTY };
      if (work.add(0)) yield;
    }
  return { kvs, more };
}

function orderOf(target: number, isDescending: boolean): Order<mvccpb.KeyValue> {
  const compare = comparatorOf(target);
  return {
    compare: isDescending ? (a, b) => compare(b, a) : compare,
    bytesOf: target === pb.SortTarget.VALUE ? ({ value }) => value.length : () => 0,
  };
}

function comparatorOf(target: number): (a: mvccpb.KeyValue, b: mvccpb.KeyValue) => number {
  switch (target) {
    case pb.SortTarget.VERSION:
      return (a, b) => a.version - b.version;
    case pb.SortTarget.CREATE:
      return (a, b) => a.createRevision - b.createRevision;
    case pb.SortTarget.MOD:
      return (a, b) => a.modRevision - b.modRevision;
    default:
      return (a, b) => Buffer.compare(a.value, b.value);
  }
}
