// Leases: a time to live that keys can be tied to. The store knows no time, and still every member must end a lease at the same place of the
// log. So time comes through the log: the leader proposes a `lease-tick` now and then, which moves the *lease clock* of the store on by the
// time that the leader has measured since the tick before was applied; and a tick ends the leases that are due.
//
// A lease never ends early:
// 1. The intervals that ticks add do not overlap in real time: a tick says which reading of the clock it starts from, and is ignored if
//    another came first; the proposer measures from the moment it applied that one. So it does not matter who proposes ticks, or how many do.
// 2. A tick adds `MAX_TICK_MS` at most. Of the time added after a renewal only the first tick's can lie before it; so a lease that was renewed at
//    clock reading c, and ends at the first reading ≥ c + MAX_TICK_MS + its TTL, has lived for its TTL at least.
// While nobody leads, the clock stands still, and a new leader goes on where the old one stopped: it takes nothing from a lease, and gives nothing back.
import { VarintReader, assert, varintLength, writeVarint } from '@distrokv/base';
import { ApiError } from './api-errors.ts';
import { StoreError } from './errors.ts';
import { Heap, type HeapItem } from './heap.ts';
import type { StoreKeyspaces } from './keyspaces.ts';
import { StepWork, type Steps } from './steps.ts';

/** Most milliseconds that one tick moves the lease clock on. */
export const MAX_TICK_MS = 1000;
/** Longest TTL, in seconds, as in etcd. */
export const MAX_LEASE_TTL = 9_000_000_000;
/** Most leases that one tick ends: what else is written waits for no more, and the next tick takes the others. */
export const LEASES_PER_TICK = 50;
/** Leases that are listed between two steps. */
const LEASES_PER_STEP = 512;

export interface Lease {
  readonly id: bigint;
  /** Seconds. */
  readonly ttl: number;
  /** It ends with the first tick that takes the lease clock this far. */
  readonly endsMs: number;
}

interface Held extends Lease, HeapItem {
  endsMs: number;
  /** What the heap knows: at most `endsMs`, for a renewal does not touch the heap. */
  queuedMs: number;
}

interface Listed extends HeapItem {
  readonly id: bigint;
  readonly endsMs: number;
}

/** By id where they end together. */
function endsBefore(a: Listed, b: Listed): number {
  return a.endsMs - b.endsMs || (a.id < b.id ? -1 : 1);
}

export class Leases {
  readonly #spaces: StoreKeyspaces;
  readonly #held = new Map<bigint, Held>();
  /** The next to end comes first; by id where they end together, so that all members end them in one order. */
  readonly #ends = new Heap<Held>((a, b) => a.queuedMs - b.queuedMs || (a.id < b.id ? -1 : 1));

  /** Reads what the engine holds. */
  constructor(spaces: StoreKeyspaces) {
    this.#spaces = spaces;
    const records = spaces.leases.iterator();
    try {
      while (records.next()) this.#hold(decodeLease(records.key, records.value));
    } finally {
      records.close();
    }
  }

  get size(): number {
    return this.#held.size;
  }

  get(id: bigint): Lease | undefined {
    return this.#held.get(id);
  }

  /** Those that there are at the first step; the next to end first. */
  *list(): Steps<bigint[]> {
    const all = [...this.#held.values()];
    // Not a sort, which would keep the event loop for tens of milliseconds; and of copies, for renewals do not wait.
    const left = new Heap<Listed>(endsBefore);
    for (const { id, endsMs } of all) {
      left.add({ id, endsMs, place: 0 });
      if (left.size % LEASES_PER_STEP === 0) yield;
    }
    const ids: bigint[] = [];
    for (let next = left.first; next !== undefined; next = left.first) {
      left.remove(next);
      if (ids.push(next.id) % LEASES_PER_STEP === 0) yield;
    }
    return ids;
  }

  /** Throws ApiError `lease-exists`. */
  grant(id: bigint, ttl: number, clockMs: number): Lease {
    if (this.#held.has(id)) throw new ApiError('lease-exists');
    const lease = this.#hold({ id, ttl, endsMs: clockMs + MAX_TICK_MS + ttl * 1000 });
    this.#write(lease);
    return lease;
  }

  /** Begins its TTL anew; undefined if there is no such lease, or it is due. */
  renew(id: bigint, clockMs: number): Lease | undefined {
    const lease = this.#held.get(id);
    if (!lease || lease.endsMs <= clockMs) return undefined;
    lease.endsMs = clockMs + MAX_TICK_MS + lease.ttl * 1000;
    this.#write(lease);
    return lease;
  }

  attach(id: bigint, key: Uint8Array): void {
    assert(this.#held.has(id), 'a key is tied to a lease that exists');
    this.#spaces.writer.put(this.#spaces.leaseKeys, attachment(id, key), NOTHING);
  }

  detach(id: bigint, key: Uint8Array): void {
    this.#spaces.writer.delete(this.#spaces.leaseKeys, attachment(id, key));
  }

  /** The keys that go with a lease, in order; however many have gone with it before. `patient`: a step may wait for the disk. */
  *keysOf(id: bigint, patient = false): Steps<Uint8Array[]> {
    const keys: Uint8Array[] = [];
    const work = new StepWork();
    const attached = this.#spaces.leaseKeys.iterator({ prefix: idBytes(id), patient });
    try {
      for (let has = attached.advance(); has !== false; has = attached.advance()) {
        if (has === true) keys.push(Buffer.from(attached.key.subarray(ID_BYTES)));
        if (has !== true) yield has;
        else if (work.add(0)) yield;
      }
    } finally {
      attached.close();
    }
    return keys;
  }

  /** Its keys are the caller's to delete, and so is what ties them to it. */
  remove(id: bigint): void {
    const held = this.#held.get(id);
    assert(held !== undefined, 'a lease that is removed exists');
    this.#held.delete(id);
    this.#ends.remove(held);
    this.#spaces.writer.delete(this.#spaces.leases, idBytes(id));
  }

  /** The lease that ends next, if that is due at this reading of the clock. */
  nextDue(clockMs: number): Lease | undefined {
    for (let first = this.#ends.first; first !== undefined && first.queuedMs <= clockMs; first = this.#ends.first) {
      if (first.endsMs === first.queuedMs) return first;
      first.queuedMs = first.endsMs;
      this.#ends.moved(first);
    }
    return undefined;
  }

  #hold(lease: Lease): Held {
    const held = { ...lease, queuedMs: lease.endsMs, place: 0 };
    this.#held.set(lease.id, held);
    this.#ends.add(held);
    return held;
  }

  #write(lease: Lease): void {
    this.#spaces.writer.put(this.#spaces.leases, idBytes(lease.id), encodeLease(lease));
  }
}

/** Seconds that are left of a lease at a reading of the clock; never more than it was granted. */
export function secondsLeft(lease: Lease, clockMs: number): number {
  return Math.max(0, Math.min(lease.ttl, Math.floor((lease.endsMs - clockMs) / 1000)));
}

const NOTHING = new Uint8Array(0);
const ID_BYTES = 8;

function idBytes(id: bigint): Buffer {
  const bytes = Buffer.alloc(ID_BYTES);
  bytes.writeBigInt64BE(id);
  return bytes;
}

function attachment(id: bigint, key: Uint8Array): Buffer {
  return Buffer.concat([idBytes(id), key]);
}

function encodeLease({ ttl, endsMs }: Lease): Uint8Array {
  const out = new Uint8Array(varintLength(ttl) + varintLength(endsMs));
  writeVarint(out, writeVarint(out, 0, ttl), endsMs);
  return out;
}

function decodeLease(key: Uint8Array, value: Uint8Array): Lease {
  const reader = new VarintReader(value);
  const lease = { ttl: reader.varint(), endsMs: reader.varint() };
  if (!reader.ok || !reader.done || key.length !== ID_BYTES)
    throw new StoreError('corrupt', 'the store holds a lease that does not decode');
  return { id: Buffer.from(key).readBigInt64BE(0), ...lease };
}
