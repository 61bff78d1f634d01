// History in the order of time: which keys changed at which revision. A change is written in the same unit as the key's own version; read again,
// it becomes an event.
//
// The changes of a log entry lie together in *records* of some 4 KiB: a record for each would be half of all entries that the engine keeps in order,
// flushes and merges. A record is found by its first change, so a read begins with the last record that does not begin behind it. What is in which
// record follows from the log alone, and so it is the same on all members. Byte by byte in docs/format/store.md.
import { MAX_VARINT_BYTES, type Revision, VarintReader, compareBytes, revision, writeVarint } from '@distrokv/base';
import type { mvccpb } from '@distrokv/proto';
import { StoreError } from './errors.ts';
import type { StoreKeyspaces } from './keyspaces.ts';
import { keyValue } from './range.ts';
import { decodeRecord } from './record.ts';

/** What happened to one key in one revision. */
export interface Change {
  readonly revision: Revision;
  readonly key: Uint8Array;
}

/** A record that has so much is written. */
const RECORD_BYTES = 4096;
/** Up to here a loop copies faster than a call. */
const LOOP_BYTES = 48;

export class History {
  readonly #spaces: StoreKeyspaces;
  /** The record that fills. */
  #bytes: Buffer = Buffer.alloc(2 * RECORD_BYTES);
  #length = 0;
  /** Its key, and the revision of its last change. */
  readonly #key: Buffer = Buffer.alloc(RECORD_KEY_BYTES);
  #last = 0;

  constructor(spaces: StoreKeyspaces) {
    this.#spaces = spaces;
  }

  /** The key is `bytes[start, end)`; `place`: how many changes of the same revision came before. To be read once `endEntry` was called. */
  write(at: Revision, place: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#length === 0) {
      writeRecordKey(this.#key, at, place);
      this.#last = at;
    }
    const length = end - start;
    const most = this.#length + 2 * MAX_VARINT_BYTES + length;
    if (most > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * most);
    const into = this.#bytes;
    const keyAt = writeVarint(into, writeVarint(into, this.#length, at - this.#last), length);
    if (length > LOOP_BYTES) into.set(bytes.subarray(start, end), keyAt);
    else for (let i = 0; i < length; i++) into[keyAt + i] = bytes[start + i] as number;
    this.#length = keyAt + length;
    this.#last = at;
    if (this.#length >= RECORD_BYTES) this.endEntry();
  }

  /** Writes the changes that are left. */
  endEntry(): void {
    if (this.#length === 0) return;
    this.#spaces.writer.put(this.#spaces.changes, this.#key, this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#bytes.length > MAX_SPARE_BYTES) this.#bytes = Buffer.alloc(2 * RECORD_BYTES);
  }

  /**
   * Visits the changes of revisions from `from` to `to` in order. `visit` says what each cost; once that is `maxCost`, no further revision is
   * begun. Returns the first revision that was not visited. Throws StoreError `corrupt`.
   */
  read(range: { readonly from: number; readonly to: number; readonly maxCost: number }, visit: (change: Change) => number): number {
    const records = this.#spaces.changes.iterator({ gte: this.#recordOf(range.from), lt: recordKey(range.to + 1, 0) });
    let last = range.from - 1;
    let cost = 0;
    try {
      while (records.next()) {
        for (const change of changesIn(records.key, records.value)) {
          if (change.revision < range.from) continue;
          if (change.revision > range.to) return range.to + 1;
          if (change.revision !== last && cost >= range.maxCost) return change.revision;
          last = change.revision;
          cost += visit(change);
        }
      }
    } finally {
      records.close();
    }
    return range.to + 1;
  }

  /** The changes of revisions from `from` to `to`, in order, as `read` visits them. */
  changes(from: number, to: number): Change[] {
    const changes: Change[] = [];
    this.read({ from, to, maxCost: Infinity }, (change) => changes.push(change));
    return changes;
  }

  /** The change as clients see it. `compactRevision` tells which versions before it can still be read. */
  event({ revision: at, key }: Change, withPrevious: boolean, compactRevision: number): mvccpb.Event {
    const found = this.#spaces.kv.getEntrySync(key, at);
    const record = found?.version === at ? decodeRecord(found.value) : undefined;
    const kv = record
      ? keyValue(key, at, record)
      : { key, createRevision: revision(0), modRevision: at, version: 0, value: NOTHING, lease: 0n };
    const isCreate = record?.createRevision === at;
    const prevKv = withPrevious && !isCreate && at - 1 >= compactRevision ? this.#versionAt(key, at - 1) : undefined;
    return { type: record ? 0 : 1, kv, prevKv };
  }

  #versionAt(key: Uint8Array, at: number): mvccpb.KeyValue | undefined {
    const found = this.#spaces.kv.getEntrySync(key, at);
    return found && keyValue(key, found.version, decodeRecord(found.value));
  }

  /** Deletes the records that hold nothing of revision `to` or later, after a call for `from` (0: none): nobody reads them any more. */
  forget(from: number, to: number): void {
    const [start, end] = [this.#recordOf(from), this.#recordOf(to)];
    if (compareBytes(start, end) < 0) this.#spaces.writer.deleteRange(this.#spaces.changes, start, end);
  }

  /** The key of the record in which the changes of a revision begin. */
  #recordOf(at: number): Uint8Array {
    const bound = recordKey(at, 0);
    const before = this.#spaces.changes.iterator({ lte: bound, reverse: true, limit: 1 });
    try {
      return before.next() ? Buffer.from(before.key) : bound;
    } finally {
      before.close();
    }
  }
}

/** The changes of a record. Throws StoreError `corrupt`. */
export function* changesIn(key: Uint8Array, value: Uint8Array): Generator<Change> {
  const isOld = key.length === OLD_KEY_BYTES;
  if (!isOld && (key.length !== RECORD_KEY_BYTES || key[OLD_KEY_BYTES] !== FORMAT))
    throw new StoreError('corrupt', 'the history has a record of an unknown form');
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  let at = view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
  if (isOld) {
    yield { revision: revision(at), key: Buffer.from(value) };
    return;
  }
  const reader = new VarintReader(Buffer.from(value));
  while (!reader.done) {
    at += reader.varint();
    const changed = reader.take(reader.varint());
    if (!reader.ok || !Number.isSafeInteger(at)) throw new StoreError('corrupt', `the history does not decode after revision ${at}`);
    yield { revision: revision(at), key: changed };
  }
}

const NOTHING = new Uint8Array(0);
/** More is not kept for the next record. */
const MAX_SPARE_BYTES = 1 << 16;
/** Of a change that is a record of its own, as they once were: its value is the key that changed. */
const OLD_KEY_BYTES = 12;
const RECORD_KEY_BYTES: number = OLD_KEY_BYTES + 1;
const FORMAT = 1;

function recordKey(at: number, place: number): Buffer {
  return writeRecordKey(Buffer.allocUnsafe(RECORD_KEY_BYTES), at, place);
}

function writeRecordKey(key: Buffer, at: number, place: number): Buffer {
  key.writeUInt32BE(Math.floor(at / 0x1_0000_0000), 0);
  key.writeUInt32BE(at >>> 0, 4);
  key.writeUInt32BE(place, 8);
  key[OLD_KEY_BYTES] = FORMAT;
  return key;
}
