// Draws calls of the API at random: every field of every request has its turn, also where it makes no sense. What is asked for does not depend on
// what is stored, except for the revisions and leases that the caller says it has heard of.
import { type Random, utf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Call, bytesOf } from './calls.ts';

export interface Drawing {
  readonly random: Random;
  /** Keys and ends of ranges are drawn from here; changes stay within. */
  readonly keys: readonly string[];
  /** Never the same twice. */
  readonly value: () => string;
  /** The latest revision that the caller has heard of. */
  readonly revision: number;
  readonly leases: readonly bigint[];
  /** How deep transactions nest. */
  readonly depth: number;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

/** A call on keys; changes keys in about six cases of ten. */
export function drawKeyCall(drawing: Drawing): Call {
  const { random } = drawing;
  const dice = random.float();
  if (dice < 0.3) return drawRangeCall(drawing);
  if (dice < 0.5) return { kind: 'put', request: drawPut(drawing) };
  if (dice < 0.58) return { kind: 'delete-range', request: drawDelete(drawing) };
  return { kind: 'txn', request: drawTxn(drawing, drawing.depth) };
}

function drawRangeCall(drawing: Drawing): Call {
  const request = drawRange(drawing);
  return { kind: 'range', request, isStreamed: isStreamable(request) && drawing.random.chance(0.4) };
}

/** What comes in pieces comes in the order of the keys, and without filters. */
function isStreamable(request: pb.RangeRequest): boolean {
  const { sortOrder, sortTarget, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const isInOrder = sortTarget === pb.SortTarget.KEY && sortOrder !== pb.SortOrder.DESCEND;
  return isInOrder && minModRevision + maxModRevision + minCreateRevision + maxCreateRevision === 0;
}

export function drawLeaseCall({ random, leases }: Drawing): Call {
  const id = pick(random, leases);
  const dice = random.float();
  if (dice < 0.35) return { kind: 'lease-grant', request: { id, ttl: random.between(1, 5) } };
  if (dice < 0.45) return { kind: 'lease-revoke', request: { id } };
  if (dice < 0.75) return { kind: 'lease-keep-alive', request: { id } };
  if (dice < 0.95) return { kind: 'lease-time-to-live', request: { id, keys: random.chance(0.7) } };
  return { kind: 'lease-leases' };
}

export function drawCompaction({ random, revision }: Drawing): Call {
  const back = random.chance(0.2) ? random.between(-2, 1) : random.below(60);
  return { kind: 'compact', request: { revision: Math.max(0, revision - back), physical: random.chance(0.2) } };
}

const drawKey = ({ random, keys }: Drawing): string => pick(random, keys);

/** An end after, at or before the key; now and then the one byte that means "to the last key". */
function drawEnd(drawing: Drawing, isBounded: boolean): Uint8Array {
  const { random, keys } = drawing;
  if (random.chance(0.5)) return bytesOf('');
  if (!isBounded && random.chance(0.3)) return bytesOf('\0');
  return bytesOf(random.chance(0.4) ? `${keys.at(-1) ?? ''}\xff` : drawKey(drawing));
}

/** None mostly, else one near those that there are: before the compaction, or in the future, too. */
function drawRevision({ random, revision }: Drawing): number {
  if (random.chance(0.6)) return 0;
  return random.chance(0.08)
    ? revision + random.between(1, 5)
    : Math.max(random.between(-1, 1), revision - random.below(random.chance(0.5) ? 8 : 80));
}

function drawRange(drawing: Drawing): pb.RangeRequest {
  const { random, revision } = drawing;
  const bound = (): number => (random.chance(0.1) ? Math.max(0, revision - random.below(30)) : 0);
  const isAll = random.chance(0.1);
  const isPlain = random.chance(0.4);
  return pb.RangeRequest.create({
    key: bytesOf(isAll ? '\0' : random.chance(0.01) ? '' : drawKey(drawing)),
    rangeEnd: isAll ? bytesOf('\0') : drawEnd(drawing, false),
    limit: random.chance(0.4) ? random.below(5) : 0,
    revision: drawRevision(drawing),
    ...(!isPlain && {
      sortOrder: random.chance(0.01) ? 7 : random.below(3),
      sortTarget: random.below(5),
      keysOnly: random.chance(0.15),
      countOnly: random.chance(0.1),
      minModRevision: bound(),
      maxModRevision: bound(),
      minCreateRevision: bound(),
      maxCreateRevision: bound(),
    }),
  });
}

function drawPut(drawing: Drawing): pb.PutRequest {
  const { random, leases, value } = drawing;
  const ignoreValue = random.chance(0.08);
  const ignoreLease = random.chance(0.08);
  const lease = random.chance(0.3) ? pick(random, leases) : 0n;
  return pb.PutRequest.create({
    key: bytesOf(random.chance(0.005) ? '' : drawKey(drawing)),
    value: ignoreValue && random.chance(0.9) ? bytesOf('') : utf8(value()),
    lease: ignoreLease && random.chance(0.9) ? 0n : lease,
    prevKv: random.chance(0.4),
    ignoreValue,
    ignoreLease,
  });
}

function drawDelete(drawing: Drawing): pb.DeleteRangeRequest {
  return pb.DeleteRangeRequest.create({
    key: bytesOf(drawKey(drawing)),
    rangeEnd: drawEnd(drawing, true),
    prevKv: drawing.random.chance(0.5),
  });
}

function drawTxn(drawing: Drawing, depth: number): pb.TxnRequest {
  const { random } = drawing;
  const some = <T>(most: number, draw: () => T): T[] => Array.from({ length: random.below(most + 1) }, draw);
  return {
    compare: some(2, () => drawCompare(drawing)),
    success: some(3, () => drawOp(drawing, depth)),
    failure: some(3, () => drawOp(drawing, depth)),
  };
}

function drawOp(drawing: Drawing, depth: number): pb.RequestOp {
  const { random } = drawing;
  const dice = random.float();
  if (dice < 0.2 && depth > 0) return { request: { case: 'requestTxn', value: drawTxn(drawing, depth - 1) } };
  if (dice < 0.55) return { request: { case: 'requestPut', value: drawPut(drawing) } };
  if (dice < 0.7) return { request: { case: 'requestDeleteRange', value: drawDelete(drawing) } };
  return { request: { case: 'requestRange', value: drawRange(drawing) } };
}

function drawCompare(drawing: Drawing): pb.Compare {
  const { random, revision, leases } = drawing;
  const near = (): number => Math.max(0, revision - random.below(12));
  const union = pick<() => Pick<pb.Compare, 'target' | 'targetUnion'>>(random, [
    () => ({ target: pb.CompareTarget.VERSION, targetUnion: { case: 'version', value: random.below(3) } }),
    () => ({ target: pb.CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: random.chance(0.3) ? 0 : near() } }),
    () => ({ target: pb.CompareTarget.MOD, targetUnion: { case: 'modRevision', value: random.chance(0.3) ? 0 : near() } }),
    () => ({ target: pb.CompareTarget.VALUE, targetUnion: { case: 'value', value: utf8(`${random.below(9)}`) } }),
    () => ({ target: pb.CompareTarget.LEASE, targetUnion: { case: 'lease', value: random.chance(0.4) ? 0n : pick(random, leases) } }),
  ])();
  return pb.Compare.create({
    result: random.below(4),
    key: bytesOf(drawKey(drawing)),
    rangeEnd: random.chance(0.3) ? drawEnd(drawing, false) : bytesOf(''),
    ...union,
    ...(random.chance(0.05) && { targetUnion: undefined }),
  });
}
