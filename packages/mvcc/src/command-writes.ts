// The changes that the command in work makes: each key goes to `kv` under the coming revision, to the history, and to or from its lease.
// Nobody else reads the coming revision before the command has ended.
import { type Revision, revision } from '@distrokv/base';
import type { Peek } from '@distrokv/lsm';
import { type mvccpb, etcdserverpb as pb } from '@distrokv/proto';
import type { Change, History } from './history.ts';
import { isEmptyRange, keyRange } from './key-range.ts';
import type { StoreKeyspaces } from './keyspaces.ts';
import { KnownHeads, UNKNOWN } from './known-heads.ts';
import type { Leases } from './leases.ts';
import type { PlainPut } from './plain-put.ts';
import { keyValue } from './range.ts';
import { RecordHead, decodeRecord } from './record.ts';
import { StepWork, type Steps } from './steps.ts';
import { revisionHeader } from './txn.ts';

/** Keys deleted between two steps. */
const KEYS_PER_STEP = 256;

interface Doomed {
  readonly key: Uint8Array;
  readonly lease: bigint;
}

export class CommandWrites {
  readonly #spaces: StoreKeyspaces;
  readonly #leases: Leases;
  readonly #history: History;
  readonly #known = new KnownHeads();
  /** The revision before the command. */
  #before: Revision = revision(0);
  #count = 0;
  /** Of the first change since they were taken; 0: there is none. */
  #first = 0;
  /** They are kept, since somebody waited for them when the first was made. */
  #isWatched = false;
  #made: Change[] = [];
  readonly #head = new RecordHead();
  /** Of the record whose head was read from the engine last. */
  #valueStart = 0;
  readonly #anybodyWatches: () => boolean;

  constructor(spaces: StoreKeyspaces, leases: Leases, history: History, anybodyWatches: () => boolean) {
    this.#spaces = spaces;
    this.#leases = leases;
    this.#history = history;
    this.#anybodyWatches = anybodyWatches;
  }

  begin(before: Revision): void {
    this.#before = before;
    this.#count = 0;
  }

  /** How many changes the command has made. */
  get count(): number {
    return this.#count;
  }

  /** What the command itself sees: its own changes, once there are any. */
  get revisionSeen(): Revision {
    return this.#count > 0 ? this.#next : this.#before;
  }

  get #next(): Revision {
    return revision(this.#before + 1);
  }

  /**
   * All changes since they were taken last, for those who watch; call it when their history is written. Where nobody watched at first, changes are not
   * kept, and who began to since gets them from the history.
   */
  take(): readonly Change[] {
    const first = this.#first;
    const taken = this.#made;
    if (first === 0) return taken;
    this.#first = 0;
    if (taken.length > 0) this.#made = [];
    else if (!this.#isWatched && this.#anybodyWatches()) return this.#history.changes(first, this.revisionSeen);
    return taken;
  }

  /** No change was made since. */
  get areTaken(): boolean {
    return this.#first === 0;
  }

  put(request: pb.PutRequest): pb.PutResponse {
    const { kv, writer } = this.#spaces;
    const { key } = request;
    const at = this.#next;
    const head = this.#head;
    const known = this.#known.find(key, 0, key.length);
    const previous = this.#previousOf(request, known);
    const leaseBefore = head.lease;
    if (head.version === 0) head.createRevision = at;
    head.version++;
    if (!request.ignoreLease) head.lease = request.lease;
    const value = request.ignoreValue && previous ? previous.value : request.value;
    writer.putParts(kv, key, 0, key.length, head.bytes, head.write(), value, 0, value.length, at);
    if (known === UNKNOWN) this.#known.add(key, 0, key.length, head);
    else this.#known.write(known, head);
    this.#moveLease(key, leaseBefore, head.lease);
    this.#changed(at, key, 0, key.length);
    return { header: revisionHeader(at), prevKv: request.prevKv ? previous : undefined };
  }

  /** As `put`, of one that asks for nothing but its value. */
  putPlain(put: PlainPut): void {
    const { kv, writer } = this.#spaces;
    const { bytes, keyStart, keyEnd } = put;
    const at = this.#next;
    const head = this.#head;
    const known = this.#known.find(bytes, keyStart, keyEnd);
    if (known === UNKNOWN) this.#readHead(put.key());
    else this.#readKnown(known);
    const leaseBefore = head.lease;
    if (head.version === 0) head.createRevision = at;
    head.version++;
    head.lease = 0n;
    writer.putParts(kv, bytes, keyStart, keyEnd, head.bytes, head.write(), bytes, put.valueStart, put.valueEnd, at);
    if (known === UNKNOWN) this.#known.add(bytes, keyStart, keyEnd, head);
    else this.#known.write(known, head);
    if (leaseBefore !== 0n) this.#moveLease(put.key(), leaseBefore, 0n);
    this.#changed(at, bytes, keyStart, keyEnd);
  }

  /** Reads the head of what the key has now, from its place among the known ones or from the engine; and the rest of it, a copy, if the put needs it. */
  #previousOf({ key, prevKv, ignoreValue }: pb.PutRequest, known: number): mvccpb.KeyValue | undefined {
    const head = this.#head;
    if (known !== UNKNOWN && !prevKv && !ignoreValue) {
      this.#readKnown(known);
      return undefined;
    }
    const found = this.#readHead(key);
    if (!found || (!prevKv && !ignoreValue)) return undefined;
    const { createRevision, version, lease } = head;
    return keyValue(key, found.version, { createRevision, version, lease, value: found.bytes.slice(this.#valueStart, found.end) });
  }

  /** Reads the head of what the engine has of the key, and finds its value. */
  #readHead(key: Uint8Array): Peek | undefined {
    const found = this.#spaces.kv.peekSync(key);
    if (found) this.#valueStart = this.#head.read(found.bytes, found.start, found.end);
    else this.#head.clear();
    return found;
  }

  #readKnown(known: number): void {
    const head = this.#head;
    this.#known.read(known, head);
    if (head.version === 0) head.clear();
  }

  *deleteRange(request: pb.DeleteRangeRequest): Steps<pb.DeleteRangeResponse> {
    const prevKvs: mvccpb.KeyValue[] = [];
    const doomed = yield* this.#keysOf(request, prevKvs);
    const at = this.#next;
    for (const { key, lease } of doomed) {
      this.#delete(at, key, lease);
      if (this.#count % KEYS_PER_STEP === 0) yield;
    }
    return pb.DeleteRangeResponse.create({ header: revisionHeader(this.revisionSeen), deleted: doomed.length, prevKvs });
  }

  /** The keys of a lease that ends, in order. */
  *deleteLeased(lease: bigint): Steps<void> {
    const at = this.#next;
    for (const key of yield* this.#leases.keysOf(lease)) {
      this.#delete(at, key, lease);
      if (this.#count % KEYS_PER_STEP === 0) yield;
    }
  }

  #delete(at: Revision, key: Uint8Array, lease: bigint): void {
    this.#spaces.writer.delete(this.#spaces.kv, key, at);
    this.#known.clear(key);
    this.#moveLease(key, lease, 0n);
    this.#changed(at, key, 0, key.length);
  }

  *#keysOf(request: pb.DeleteRangeRequest, prevKvs: mvccpb.KeyValue[]): Steps<Doomed[]> {
    const range = keyRange(request.key, request.rangeEnd);
    const doomed: Doomed[] = [];
    if (isEmptyRange(range)) return doomed;
    const add = (key: Uint8Array, version: number, bytes: Uint8Array): void => {
      const record = decodeRecord(bytes);
      doomed.push({ key, lease: record.lease });
      if (request.prevKv) prevKvs.push(keyValue(key, version, { ...record, value: Buffer.from(record.value) }));
    };
    if (range.single) {
      const found = this.#spaces.kv.getEntrySync(range.from);
      if (found) add(range.from, found.version, found.value);
      return doomed;
    }
    const work = new StepWork();
    const found = this.#spaces.kv.iterator({ gte: range.from, ...(range.to && { lt: range.to }) });
    try {
      for (let has = found.advance(); has !== false; has = found.advance()) {
        if (has === true) add(Buffer.from(found.key), found.version, found.value);
        if (has !== true || work.add(found.value.length)) yield;
      }
    } finally {
      found.close();
    }
    return doomed;
  }

  #moveLease(key: Uint8Array, from: bigint, to: bigint): void {
    if (from === to) return;
    if (from !== 0n) this.#leases.detach(from, key);
    if (to !== 0n) this.#leases.attach(to, key);
  }

  /** The key `bytes[start, end)`. */
  #changed(at: Revision, bytes: Uint8Array, start: number, end: number): void {
    this.#history.write(at, this.#count++, bytes, start, end);
    if (this.#first === 0) {
      this.#first = at;
      this.#isWatched = this.#anybodyWatches();
    }
    if (this.#isWatched) this.#made.push({ revision: at, key: bytes.slice(start, end) });
  }
}
