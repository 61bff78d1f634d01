// The messages that many watchers are given alike. Events are encoded once (`EventBatch`), and so is the message around them: a header, the watcher's id,
// the events. It is copied as often as there are watchers, twice as many at a time as before, and then each copy gets its id.
//
// Ids are numbered on each stream for itself. So streams whose watchers see the same have messages that are the same to the last byte, and those are made
// for the first of them only: memory that was just written is sent by all.
import { varintLength, writeVarint } from '@distrokv/base';
import type { MessageMemory } from '@distrokv/grpc';

/** The flag and the length of a message, as in gRPC over HTTP/2. */
const PREFIX_BYTES = 5;
/** Field 2 of WatchResponse as a varint. */
const WATCH_ID_TAG = 0x10;
/** What comes from `MessageMemory` is at least as large. */
const LARGE_BYTES = 64 << 10;
/** Below, memory is left to the collector: it would not come back. */
const FRAME_BYTES = 16 << 10;

/** `header` and `events`: those fields of a WatchResponse as they are encoded, which stay as they are. */
export interface SameMessage {
  readonly header: Uint8Array;
  readonly events: Uint8Array;
}

interface Copies {
  readonly message: SameMessage;
  readonly ids: readonly number[];
  readonly bytes: Uint8Array;
  /** Where `bytes` comes from. */
  readonly memory: MessageMemory;
}

export class WatchCopies {
  /** What was made in this go, by the first of the ids. */
  readonly #made = new Map<number, Copies>();

  /** How much was made. */
  get size(): number {
    return this.#made.size;
  }

  /** The messages for `ids`, `byteLength` in all, in memory that is to be sent by the caller and not touched. `ids` stays as it is. */
  of(message: SameMessage, ids: readonly number[], byteLength: number, memory: MessageMemory): Uint8Array {
    const first = ids[0] as number;
    const before = this.#made.get(first);
    if (before && isSame(before, message, ids)) {
      before.memory.share(before.bytes);
      return before.bytes;
    }
    const bytes = allocate(byteLength, memory);
    writeCopies(bytes, 0, message, ids);
    if (before) before.memory.giveBack(before.bytes);
    this.#made.set(first, { message, ids, bytes, memory });
    memory.share(bytes); // the one use of it is here, the other is the caller's
    return bytes;
  }

  /** The go is over: nobody will ask for the same again. */
  clear(): void {
    if (this.#made.size === 0) return;
    for (const { memory, bytes } of this.#made.values()) memory.giveBack(bytes);
    this.#made.clear();
  }
}

function isSame({ message, ids }: Copies, wanted: SameMessage, wantedIds: readonly number[]): boolean {
  if (message.header !== wanted.header || message.events !== wanted.events || ids.length !== wantedIds.length) return false;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== wantedIds[i]) return false;
  return true;
}

/** Memory of so many bytes is dear: the collector looks after it only when there is much of it. */
function allocate(bytes: number, memory: MessageMemory): Uint8Array {
  const given = bytes > FRAME_BYTES ? memory.allocate(Math.max(bytes, LARGE_BYTES)) : undefined;
  return given?.subarray(0, bytes) ?? Buffer.allocUnsafeSlow(bytes);
}

/** How long the message for a watcher is. */
export function copyLength({ header, events }: SameMessage, id: number): number {
  return PREFIX_BYTES + header.length + idLength(id) + events.length;
}

/** Writes the messages for `ids` at `at`, where there is room for them. */
export function writeCopies(into: Uint8Array, at: number, message: SameMessage, ids: readonly number[]): void {
  for (let from = 0; from < ids.length;) {
    const bytesOfId = idLength(ids[from] as number);
    let to = from + 1;
    while (to < ids.length && idLength(ids[to] as number) === bytesOfId) to++;
    at = writeRun(into, at, message, { ids, from, to, bytesOfId });
    from = to;
  }
}

interface Run {
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly bytesOfId: number;
}

/** Messages of one length; returns where they end. */
function writeRun(into: Uint8Array, start: number, { header, events }: SameMessage, { ids, from, to, bytesOfId }: Run): number {
  const count = to - from;
  const body = header.length + bytesOfId + events.length;
  const length = PREFIX_BYTES + body;
  into[start] = 0;
  into[start + 1] = body >>> 24;
  into[start + 2] = body >>> 16;
  into[start + 3] = body >>> 8;
  into[start + 4] = body;
  const atId = PREFIX_BYTES + header.length;
  into.set(header, start + PREFIX_BYTES);
  into.set(events, start + atId + bytesOfId);
  for (let made = 1; made < count; made *= 2) into.copyWithin(start + made * length, start, start + Math.min(made, count - made) * length);
  if (bytesOfId > 0) for (let i = 0; i < count; i++) writeId(into, start + i * length + atId, ids[from + i] as number);
  return start + count * length;
}

/** Of the field with a watcher's id; as any field of proto3 it is left out where it is 0. */
function idLength(id: number): number {
  if (id === 0) return 0;
  return id > 0 ? 1 + varintLength(id) : 11;
}

/** The field with an id that is not 0. Clients may choose ids below, which are 64 bits in two's complement on the wire. */
function writeId(into: Uint8Array, at: number, id: number): void {
  into[at] = WATCH_ID_TAG;
  if (id > 0) {
    writeVarint(into, at + 1, id);
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(id));
  for (let i = 1; i < 10; i++, rest >>= 7n) into[at + i] = Number(rest & 0x7fn) | 0x80;
  into[at + 10] = Number(rest);
}
