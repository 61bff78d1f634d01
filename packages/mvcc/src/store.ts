// The replicated state machine: the same commands in the same order give the same store on every member. It knows no time,
// no chance and no network. Every change has a revision; a key's history is its versions in the engine, so a read "as of
// revision r" is an engine read as of version r (docs/05-state-machine.md).
//
// Invariants:
// 1. Commands are applied in log order, each exactly once: `apply` … `commit(index)` is one atomic unit of the engine, state record included.
// 2. The revision grows by one for each command that changes a key, and never else.
// 3. A key has at most one change in a revision (`checkTxn` refuses what would break it).
// 4. A command that is refused has changed nothing.
import { type LogIndex, type Revision, type Term, assert, revision } from '@distrokv/base';
import type { Engine, Keyspace, KeyspaceOptions, UnloggedWriter } from '@distrokv/lsm';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { ApiError } from './api-errors.ts';
import type { Command } from './command.ts';
import { isEmptyRange, keyRange } from './key-range.ts';
import { type Membership, isRemovedMember, membershipIn, readMembers, replaceMembers, writeMember } from './members.ts';
import { type RangeResult, keyValue, rangeSteps, readRange } from './range.ts';
import { type KeyRecord, decodeRecord, encodeRecord } from './record.ts';
import { STATE_KEY, type StoreState, decodeState, encodeState, freshState } from './state.ts';
import { type TxnView, choosePath, forEachOp, revisionHeader, runPath } from './txn.ts';

/** What the engine must be opened with. */
export const storeKeyspaces: readonly KeyspaceOptions[] = [
  /** User key, revision → record. */
  { name: 'kv', versions: 'caller' },
  /** Revision and place in it → the key that changed: history in the order of time. */
  { name: 'changes', versions: 'latest' },
  /** State and members. */
  { name: 'meta', versions: 'latest' },
];

/** What `apply` answers, by the command's kind: the response, whose headers carry the revision alone; nothing for commands about the cluster itself. */
export interface CommandResults {
  readonly put: pb.PutResponse;
  readonly 'delete-range': pb.DeleteRangeResponse;
  readonly txn: pb.TxnResponse;
  readonly 'member-attributes': undefined;
}

export type CommandResult = CommandResults[keyof CommandResults];

export class Store {
  readonly #kv: Keyspace;
  readonly #changes: Keyspace;
  readonly #meta: Keyspace;
  readonly #engine: Engine;
  readonly #writer: UnloggedWriter;
  #state: StoreState;
  #members: readonly pb.Member[];
  /** The revision of the command being applied is `#state.revision + 1` once this is above 0: the changes it has made. */
  #changesInCommand = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#kv = engine.keyspace('kv');
    this.#changes = engine.keyspace('changes');
    this.#meta = engine.keyspace('meta');
    this.#writer = engine.unlogged();
    const state = this.#meta.getSync(STATE_KEY);
    this.#state = state ? decodeState(state) : freshState();
    this.#members = readMembers(this.#meta);
  }

  get state(): StoreState {
    return this.#state;
  }

  get members(): readonly pb.Member[] {
    return this.#members;
  }

  /** Who the members are, as the driver of the log wrote it down with the last change; undefined before the first. */
  get membership(): Membership | undefined {
    return membershipIn(this.#meta);
  }

  /** Whether there was a member with this id, which was removed: its id never comes back. */
  isRemoved(member: bigint): boolean {
    return isRemovedMember(this.#meta, member);
  }

  /** False for an engine that `bootstrap` has not filled yet. */
  get isBootstrapped(): boolean {
    return this.#members.length > 0;
  }

  /** Bytes that the store takes, in memory and on disk: what the quota is held against. */
  get sizeBytes(): number {
    const { memtableBytes, tableBytes } = this.#engine.stats();
    return memtableBytes + tableBytes;
  }

  /** Writes down who the cluster starts with, the same on each of its members; durable when it resolves. */
  async bootstrap(members: readonly pb.Member[]): Promise<void> {
    assert(!this.isBootstrapped && members.length > 0, 'a store is bootstrapped once, with at least one member');
    for (const member of members) writeMember(this.#writer, this.#meta, member);
    this.#writer.put(this.#meta, STATE_KEY, encodeState(this.#state));
    await this.#writer.commit();
    await this.#engine.flush();
    this.#members = readMembers(this.#meta);
  }

  /** The log entry up to which everything is in synced tables: the log may forget what is at or before it. */
  async durableIndex(): Promise<LogIndex> {
    const state = await this.#meta.getFlushed(STATE_KEY);
    return (state ? decodeState(state) : freshState()).appliedIndex;
  }

  // --- Writing: one `apply` for each command of a log entry, then one `commit`. ---

  /** Throws ApiError, on every member alike, when the command is refused; then nothing has changed. */
  apply(command: Command): CommandResult {
    switch (command.kind) {
      case 'put':
        this.#checkPut(command.request);
        return this.#asOneRevision((view) => view.put(command.request));
      case 'delete-range':
        return this.#asOneRevision((view) => view.deleteRange(command.request));
      case 'txn':
        return this.#txn(command.request);
      case 'member-attributes':
        return this.#setMemberAttributes(command.request);
    }
  }

  /**
   * A log entry that says who the members are, and where (`members` have ids, peer URLs and `isLearner`). Their names and client URLs stay.
   * `configuration` is the driver's own record of it. End the entry with `commit`.
   */
  setMembership(membership: Membership, members: readonly pb.Member[]): void {
    replaceMembers(this.#writer, this.#meta, membership, members);
    this.#members = readMembers(this.#meta);
  }

  /** Ends a log entry. Wait for the promise, if there is one, before the next: flushes lag behind. */
  commit(index: LogIndex, term: Term): Promise<void> | undefined {
    assert(index > this.#state.appliedIndex, `entries are applied in order: ${index} after ${this.#state.appliedIndex}`);
    this.#state = { ...this.#state, appliedIndex: index, appliedTerm: term };
    this.#writer.put(this.#meta, STATE_KEY, encodeState(this.#state));
    return this.#writer.commit();
  }

  #asOneRevision<T>(work: (view: TxnView) => T): T {
    this.#changesInCommand = 0;
    const result = work(this.#view);
    if (this.#changesInCommand > 0) this.#state = { ...this.#state, revision: revision(this.#state.revision + 1) };
    this.#changesInCommand = 0;
    return result;
  }

  /** What the commands and transactions in work read and write through. */
  readonly #view: TxnView = {
    range: (request) => this.#rangeResponse(request, this.#revisionSeen()),
    put: (request) => this.#put(request),
    deleteRange: (request) => this.#deleteRange(request),
  };

  /** The newest revision for the command in work: its own, once it has changed something. */
  #revisionSeen(): Revision {
    return this.#changesInCommand > 0 ? this.#nextRevision() : this.#state.revision;
  }

  #nextRevision(): Revision {
    return revision(this.#state.revision + 1);
  }

  #checkPut(request: pb.PutRequest): void {
    // Leases come with a later version of this store: none exists, so none is found.
    if (request.lease !== 0n) throw new ApiError('lease-not-found');
    if ((request.ignoreValue || request.ignoreLease) && !this.#kv.getEntrySync(request.key)) throw new ApiError('key-not-found');
  }

  #put(request: pb.PutRequest): pb.PutResponse {
    const at = this.#nextRevision();
    const found = this.#kv.getEntrySync(request.key);
    const previous = found && decodeRecord(found.value);
    const record: KeyRecord = {
      createRevision: previous?.createRevision ?? at,
      version: (previous?.version ?? 0) + 1,
      lease: request.ignoreLease ? (previous?.lease ?? 0n) : request.lease,
      value: request.ignoreValue ? (previous?.value ?? request.value) : request.value,
    };
    this.#writer.put(this.#kv, request.key, encodeRecord(record), at);
    this.#recordChange(at, request.key);
    const prevKv = request.prevKv && found && previous ? keyValue(request.key, found.version, previous) : undefined;
    return pb.PutResponse.create({ header: revisionHeader(at), ...(prevKv && { prevKv }) });
  }

  #deleteRange(request: pb.DeleteRangeRequest): pb.DeleteRangeResponse {
    const at = this.#nextRevision();
    const [keys, prevKvs] = this.#keysToDelete(request);
    for (const key of keys) {
      this.#writer.delete(this.#kv, key, at);
      this.#recordChange(at, key);
    }
    return pb.DeleteRangeResponse.create({ header: revisionHeader(this.#revisionSeen()), deleted: keys.length, prevKvs });
  }

  #keysToDelete(request: pb.DeleteRangeRequest): [keys: Uint8Array[], prevKvs: mvccpb.KeyValue[]] {
    const range = keyRange(request.key, request.rangeEnd);
    const keys: Uint8Array[] = [];
    const prevKvs: mvccpb.KeyValue[] = [];
    if (isEmptyRange(range)) return [keys, prevKvs];
    const add = (key: Uint8Array, version: number, bytes: Uint8Array): void => {
      keys.push(key);
      if (request.prevKv) prevKvs.push(keyValue(key, version, decodeRecord(bytes)));
    };
    if (range.single) {
      const found = this.#kv.getEntrySync(range.from);
      if (found) add(range.from, found.version, found.value);
      return [keys, prevKvs];
    }
    const found = this.#kv.iterator({ gte: range.from, ...(range.to && { lt: range.to }) });
    try {
      while (found.next()) add(Buffer.from(found.key), found.version, request.prevKv ? Buffer.from(found.value) : found.value);
    } finally {
      found.close();
    }
    return [keys, prevKvs];
  }

  #recordChange(at: Revision, key: Uint8Array): void {
    const change = Buffer.allocUnsafe(12);
    change.writeBigUInt64BE(BigInt(at), 0);
    change.writeUInt32BE(this.#changesInCommand++, 8);
    this.#writer.put(this.#changes, change, key);
  }

  #txn(request: pb.TxnRequest): pb.TxnResponse {
    const path = choosePath(this.#kv, this.#state.revision, request);
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.checkRevision(op.value.revision);
      if (op.case === 'requestPut') this.#checkPut(op.value);
    });
    const response = this.#asOneRevision((view) => runPath(path, view));
    return { ...response, header: revisionHeader(this.#state.revision) };
  }

  /** A member may tell its own name and client URLs; who is a member at all is not for this command to change. */
  #setMemberAttributes(told: pb.Member): undefined {
    const known = this.#members.find((m) => m.id === told.id);
    if (!known) return;
    writeMember(this.#writer, this.#meta, { ...known, name: told.name, clientURLs: told.clientURLs });
    this.#members = readMembers(this.#meta);
  }

  // --- Reading: as of a revision that is applied. ---

  /** Throws ApiError unless a read at `requested` (0 or less: the latest) can be answered. */
  checkRevision(requested: number): void {
    if (requested > this.#state.revision) throw new ApiError('future-revision');
  }

  /** A range in steps, pinned to the revision at the call; `finish` the result with `toResponse`. */
  rangeSteps(request: pb.RangeRequest): {
    readonly steps: Generator<undefined, RangeResult, undefined>;
    readonly toResponse: (result: RangeResult) => pb.RangeResponse;
  } {
    this.checkRevision(request.revision);
    const steps = rangeSteps(this.#kv, request, request.revision > 0 ? revision(request.revision) : this.#state.revision);
    // The header names the current revision, whatever the read was as of.
    return { steps, toResponse: (result) => pb.RangeResponse.create({ header: revisionHeader(this.#state.revision), ...result }) };
  }

  /** A transaction of ranges alone (`isReadOnlyTxn`), answered from what is applied. */
  readOnlyTxn(request: pb.TxnRequest): pb.TxnResponse {
    const at = this.#state.revision;
    const path = choosePath(this.#kv, at, request);
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.checkRevision(op.value.revision);
    });
    return { ...runPath(path, this.#view), header: revisionHeader(at) };
  }

  #rangeResponse(request: pb.RangeRequest, seen: Revision): pb.RangeResponse {
    const at = request.revision > 0 ? revision(request.revision) : seen;
    return pb.RangeResponse.create({ header: revisionHeader(seen), ...readRange(this.#kv, request, at) });
  }
}
