// The commands that a simulated cluster has committed, in the order of its log, read off what members send and have: which of the operations with
// an unknown outcome took effect, and in which place, is not for the judges to guess (etcd's own robustness tests take it from the log, too).
// The bytes are taken apart after docs/format/store.md, not by the code that wrote them.
import { VarintReader } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Entry, Message, RaftStatus } from '@distrokv/raft';
import type { Storage } from '@distrokv/server';
import type { Call } from './calls.ts';

/** What the lease clock of the store is moved on by: from one reading to another. */
export interface Tick {
  readonly kind: 'tick';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Committed {
  /** Undefined for what concerns the cluster itself. */
  readonly command: Call | Tick | undefined;
  /** When it was first seen to be applied: by the order of events in the history, and by the world's clock. */
  readonly seenOrder: number;
  readonly seenMs: number;
}

export interface CommittedLogOptions {
  /** The order of whatever happens next in the history. */
  readonly order: () => number;
  readonly nowMs: () => number;
}

interface Seen {
  readonly order: number;
  readonly ms: number;
}

export class CommittedLog {
  readonly #options: CommittedLogOptions;
  /**
   * What leaders said is at an index, the latest term alone, until it is committed. Once an entry is committed, no leader of a later term says anything
   * else (leader completeness, which has a judge of its own); so if everybody has dropped it, this is it.
   */
  readonly #heard = new Map<number, Entry>();
  readonly commands: Committed[] = [];
  #last = 0;
  /** The last index that a member was seen to have applied, and when, for those whose entry is not known yet: disks that are in trouble show it later. */
  #applied = 0;
  readonly #seen = new Map<number, Seen>();

  constructor(options: CommittedLogOptions) {
    this.#options = options;
  }

  /** The last entry that was seen. */
  get last(): number {
    return this.#last;
  }

  sent(message: Message): void {
    if (message.kind !== 'append-entries') return;
    for (const entry of message.entries) {
      const before = this.#heard.get(entry.index);
      if (entry.index > this.#last && (!before || before.term < entry.term)) this.#heard.set(entry.index, entry);
    }
  }

  /** A member says how far it has come. */
  observe({ applied: reported }: RaftStatus, { log, store }: Storage): void {
    const { order, nowMs } = this.#options;
    // The store is ahead of what Raft has been told by the entries of a turn, and by the one in work, whose first revisions are read already.
    const applied = Math.max(reported, store.state.appliedIndex + (store.isMidEntry ? 1 : 0));
    for (; this.#applied < applied; this.#applied++) this.#seen.set(this.#applied + 1, { order: order(), ms: nowMs() });
    while (this.#last < applied) {
      const index = (this.#last + 1) as Entry['index'];
      const term = log.termAt(index);
      const heard = this.#heard.get(index);
      const entry = term === undefined || heard?.term === term ? heard : readFrom(log, index);
      if (!entry) return; // Another one shows it.
      this.#heard.delete(index);
      this.#last = index;
      const seen = this.#seen.get(index);
      this.#seen.delete(index);
      if (entry.kind === 'command' && seen) this.#add(entry.data, seen);
    }
  }

  #add(data: Uint8Array, { order, ms }: Seen): void {
    for (const bytes of commandsIn(data)) this.commands.push({ command: commandOf(bytes), seenOrder: order, seenMs: ms });
  }
}

/** The disk may be in trouble. */
function readFrom(log: Storage['log'], index: Entry['index']): Entry | undefined {
  try {
    return log.entries(index, (index + 1) as Entry['index'], 1)[0];
  } catch {
    return undefined;
  }
}

/** After origin (8 bytes), session (4 bytes) and sequence (varint), each with its length before it. */
function commandsIn(data: Uint8Array): Uint8Array[] {
  const reader = new VarintReader(data);
  reader.take(12);
  reader.varint();
  const commands: Uint8Array[] = [];
  while (!reader.done && reader.ok) commands.push(reader.take(reader.varint()));
  return commands;
}

function commandOf(bytes: Uint8Array): Call | Tick | undefined {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case 1:
      return { kind: 'put', request: pb.PutRequest.decode(body) };
    case 2:
      return { kind: 'delete-range', request: pb.DeleteRangeRequest.decode(body) };
    case 3:
      return { kind: 'txn', request: pb.TxnRequest.decode(body) };
    case 5:
      return { kind: 'compact', request: pb.CompactionRequest.decode(body) };
    case 6:
      return { kind: 'lease-grant', request: pb.LeaseGrantRequest.decode(body) };
    case 7:
      return { kind: 'lease-revoke', request: pb.LeaseRevokeRequest.decode(body) };
    case 8:
      return { kind: 'lease-keep-alive', request: pb.LeaseKeepAliveRequest.decode(body) };
    case 9: {
      const reader = new VarintReader(body);
      return { kind: 'tick', fromMs: reader.varint(), toMs: reader.varint() };
    }
    default:
      return undefined;
  }
}
