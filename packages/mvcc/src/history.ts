// History in the order of time: which keys changed at which revision. A change is written with the key's own version, in the same unit; read again,
// it becomes an event.
import { type Revision, revision } from '@distrokv/base';
import type { mvccpb } from '@distrokv/proto';
import type { StoreKeyspaces } from './keyspaces.ts';
import { keyValue } from './range.ts';
import { decodeRecord } from './record.ts';

/** What happened to one key in one revision. */
export interface Change {
  readonly revision: Revision;
  readonly key: Uint8Array;
}

export class History {
  readonly #spaces: StoreKeyspaces;
  /** Of the change that is written; the engine copies it. */
  readonly #key: Buffer = Buffer.alloc(CHANGE_BYTES);

  constructor(spaces: StoreKeyspaces) {
    this.#spaces = spaces;
  }

  /** `place`: how many changes of the same revision came before. */
  write(at: Revision, place: number, key: Uint8Array): void {
    this.#spaces.writer.put(this.#spaces.changes, writeChangeKey(this.#key, at, place), key);
  }

  /**
   * Visits the changes of revisions from `from` to `to` in order. `visit` says what each cost; once that is `maxCost`, no further revision is
   * begun. Returns the first revision that was not visited.
   */
  read(range: { readonly from: number; readonly to: number; readonly maxCost: number }, visit: (change: Change) => number): number {
    const changes = this.#spaces.changes.iterator({ gte: changeKey(range.from, 0), lt: changeKey(range.to + 1, 0) });
    let last = range.from - 1;
    let cost = 0;
    try {
      while (changes.next()) {
        const at = revisionOf(changes.key);
        if (at !== last && cost >= range.maxCost) return at;
        last = at;
        cost += visit({ revision: revision(at), key: Buffer.from(changes.value) });
      }
    } finally {
      changes.close();
    }
    return range.to + 1;
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

  /** Deletes the changes of revisions from `from` to before `to`: nobody reads them any more. */
  forget(from: number, to: number): void {
    this.#spaces.writer.deleteRange(this.#spaces.changes, changeKey(Math.max(0, from), 0), changeKey(to, 0));
  }
}

const NOTHING = new Uint8Array(0);
const CHANGE_BYTES = 12;

function changeKey(at: number, place: number): Buffer {
  return writeChangeKey(Buffer.allocUnsafe(CHANGE_BYTES), at, place);
}

function writeChangeKey(key: Buffer, at: number, place: number): Buffer {
  key.writeUInt32BE(Math.floor(at / 0x1_0000_0000), 0);
  key.writeUInt32BE(at >>> 0, 4);
  key.writeUInt32BE(place, 8);
  return key;
}

function revisionOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  return view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
}
