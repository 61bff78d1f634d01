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
import { type Engine, LsmError } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Alarms } from './alarms.ts';
import { ApiError } from './api-errors.ts';
import { hasPut } from './check.ts';
import { CommandWrites } from './command-writes.ts';
import type { Command, LeaseTick } from './command.ts';
import { StoreLimitError } from './errors.ts';
import { type StoreHash, hashStore } from './hash.ts';
import { History } from './history.ts';
import { KnownCounts } from './known-counts.ts';
import { type StoreKeyspaces, keyspacesOf } from './keyspaces.ts';
import { LEASES_PER_TICK, Leases, MAX_LEASE_TTL, MAX_TICK_MS } from './leases.ts';
import { type Membership, membershipIn, readMembers, readRemoved, replaceMembers, writeMember } from './members.ts';
import type { PlainPut } from './plain-put.ts';
import { type RangeChunks, type RangeResult, rangeChunks, rangeSteps } from './range.ts';
import { STATE_KEY, type StoreState, decodeState, encodeState, freshState } from './state.ts';
import { type Steps, runSteps } from './steps.ts';
import { type TxnPath, type TxnView, choosePath, forEachOp, onlyReads, revisionHeader, runPath } from './txn.ts';
import { WatchHub } from './watch/watch-hub.ts';

/** What `apply` answers, by the command's kind: the response, whose headers carry the revision alone; nothing for commands about the cluster itself. */
export interface CommandResults {
  readonly put: pb.PutResponse;
  readonly 'delete-range': pb.DeleteRangeResponse;
  readonly txn: pb.TxnResponse;
  readonly 'member-attributes': undefined;
  readonly compact: pb.CompactionResponse;
  readonly 'lease-grant': pb.LeaseGrantResponse;
  readonly 'lease-revoke': pb.LeaseRevokeResponse;
  readonly 'lease-renew': pb.LeaseKeepAliveResponse;
  readonly 'lease-tick': TickResult;
  readonly alarm: pb.AlarmResponse;
}

export interface TickResult {
  /** More leases are due than one tick ends. */
  readonly more: boolean;
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

export type CommandResult = CommandResults[keyof CommandResults];

export class Store {
  /** Who watches what is applied here. */
  readonly watches: WatchHub;
  readonly leases: Leases;
  readonly alarms: Alarms;
  readonly #engine: Engine;
  readonly #spaces: StoreKeyspaces;
  readonly #history: History;
  readonly #counts = new KnownCounts();
  readonly #writes: CommandWrites;
  /** One object for all revisions. */
  readonly #state: Changing<StoreState>;
  #members: readonly pb.Member[];
  /** The compaction of the last entry: history before it is deleted. Once for each entry, however many compactions are in it: a unit holds few range deletes. */
  #forgottenTo: number;
  readonly #removed: Set<bigint>;
  #onTick: () => void = () => {};
  #onCompact: () => void = () => {};

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#spaces = keyspacesOf(engine);
    const state = this.#spaces.meta.getSync(STATE_KEY);
    this.#state = state ? decodeState(state) : freshState();
    this.#members = readMembers(this.#spaces.meta);
    this.#removed = readRemoved(this.#spaces.meta);
    this.#forgottenTo = Math.max(0, this.#state.compactRevision);
    this.leases = new Leases(this.#spaces);
    this.alarms = new Alarms(this.#spaces);
    this.#history = new History(this.#spaces);
    this.#writes = new CommandWrites(this.#spaces, this.leases, this.#history, () => this.watches.isWatched);
    this.watches = new WatchHub({
      history: this.#history,
      revision: this.#state.revision,
      compactRevision: () => this.#state.compactRevision,
    });
  }

  /** As it is at any time: who wants to know later what it was takes a copy. */
  get state(): StoreState {
    return this.#state;
  }

  /** Commands of an entry have made revisions, and the entry is not at its end: the applied index is still that of the one before. */
  get isMidEntry(): boolean {
    return !this.#writes.areTaken;
  }

  get members(): readonly pb.Member[] {
    return this.#members;
  }

  /** Who the members are, as the driver of the log wrote it down with the last change; undefined before the first. */
  get membership(): Membership | undefined {
    return membershipIn(this.#spaces.meta);
  }

  /** Whether there was a member with this id, which was removed: its id never comes back. */
  isRemoved(member: bigint): boolean {
    return this.#removed.has(member);
  }

  /** False for an engine that `bootstrap` has not filled yet. */
  get isBootstrapped(): boolean {
    return this.#members.length > 0;
  }

  /** Bytes that the store takes, in memory and on disk: what the quota is held against. */
  get sizeBytes(): number {
    return this.#engine.byteLength;
  }

  /** Writes down who the cluster starts with, the same on each of its members; durable when it resolves. */
  async bootstrap(members: readonly pb.Member[]): Promise<void> {
    assert(!this.isBootstrapped && members.length > 0, 'a store is bootstrapped once, with at least one member');
    const { writer, meta } = this.#spaces;
    for (const member of members) writeMember(writer, meta, member);
    writer.put(meta, STATE_KEY, encodeState(this.#state));
    await writer.commit();
    await this.#engine.flush();
    this.#members = readMembers(meta);
  }

  /** The log entry up to which everything is in synced tables: the log may forget what is at or before it. */
  async durableIndex(): Promise<LogIndex> {
    const state = await this.#spaces.meta.getFlushed(STATE_KEY);
    return (state ? decodeState(state) : freshState()).appliedIndex;
  }

  // --- Writing: one `apply` for each command of a log entry, then one `commit`. ---

  /**
   * Throws ApiError, on every member alike, when the command is refused; then nothing has changed. Throws StoreLimitError, alike too, when what
   * a transaction reads is too large to be answered; its writes have happened.
   */
  apply(command: Command): CommandResult {
    return command.kind === 'put' ? this.#put(command.request) : runSteps(this.applySteps(command));
  }

  /** As `apply`, for a command that is a plain put, as it lies in the log. */
  applyPlain(put: PlainPut): Revision {
    this.#checkSpace();
    this.#writes.begin(this.#state.revision);
    this.#writes.putPlain(put);
    this.#endRevision();
    return this.#state.revision;
  }

  /** As `apply`, for commands that may take long. Nothing else may be applied before the last step. */
  *applySteps(command: Command): Steps<CommandResult> {
    switch (command.kind) {
      case 'put':
        return this.#put(command.request);
      case 'delete-range':
        return yield* this.#asOneRevision(this.#deleteRange(command.request));
      case 'txn':
        return yield* this.#txn(command.request);
      case 'member-attributes':
        return this.#setMemberAttributes(command.request);
      case 'compact':
        return this.#compact(command.request);
      case 'lease-grant':
        return this.#grant(command.request);
      case 'lease-revoke':
        return yield* this.#revoke(command.request);
      case 'lease-renew':
        return this.#renew(command.request);
      case 'lease-tick':
        return yield* this.#tick(command.request);
      case 'alarm':
        return pb.AlarmResponse.create({ header: revisionHeader(this.#state.revision), alarms: this.alarms.handle(command.request) });
    }
  }

  /**
   * A log entry that says who the members are, and where (`members` have ids, peer URLs and `isLearner`). Their names and client URLs stay.
   * `configuration` is the driver's own record of it. End the entry with `commit`.
   */
  setMembership(membership: Membership, members: readonly pb.Member[]): void {
    const { writer, meta } = this.#spaces;
    for (const id of replaceMembers(writer, meta, membership, members)) this.#removed.add(id);
    this.#members = readMembers(meta);
  }

  /** Ends a log entry. Wait for the promise, if there is one, before the next: flushes lag behind. */
  commit(index: LogIndex, term: Term): Promise<void> | undefined {
    assert(index > this.#state.appliedIndex, `entries are applied in order: ${index} after ${this.#state.appliedIndex}`);
    this.#state.appliedIndex = index;
    this.#state.appliedTerm = term;
    const { writer, kv, meta } = this.#spaces;
    const { compactRevision } = this.#state;
    const isCompacted = compactRevision > this.#forgottenTo;
    this.#history.endEntry();
    const changes = this.#writes.take();
    if (isCompacted) this.#history.forget(this.#forgottenTo, compactRevision);
    this.#forgottenTo = Math.max(this.#forgottenTo, compactRevision);
    writer.put(meta, STATE_KEY, encodeState(this.#state));
    this.watches.publish(changes, this.#state.revision);
    // Not before: who watches is given what changed in this entry as of revisions that it may have compacted as well.
    if (isCompacted) kv.setRetention(compactRevision);
    const room = writer.commit();
    if (isCompacted) this.#onCompact();
    return room;
  }

  #endRevision(): void {
    if (this.#writes.count > 0) this.#state.revision = revision(this.#state.revision + 1);
    this.#writes.begin(this.#state.revision);
  }

  *#asOneRevision<T>(work: Steps<T>): Steps<T> {
    this.#writes.begin(this.#state.revision);
    const result = yield* work;
    this.#endRevision();
    return result;
  }

  #put(request: pb.PutRequest): pb.PutResponse {
    this.#checkSpace();
    this.#checkLease(request);
    this.#checkIgnored(request);
    this.#writes.begin(this.#state.revision);
    const response = this.#writes.put(request);
    this.#endRevision();
    return response;
  }

  #checkLease({ lease }: pb.PutRequest): void {
    if (lease !== 0n && !this.leases.get(lease)) throw new ApiError('lease-not-found');
  }

  #checkIgnored({ key, ignoreValue, ignoreLease }: pb.PutRequest): void {
    if ((ignoreValue || ignoreLease) && !this.#spaces.kv.getEntrySync(key)) throw new ApiError('key-not-found');
  }

  /** Refuses what adds to a store that is full, or changes one that is damaged. */
  #checkSpace(): void {
    if (this.alarms.has(pb.AlarmType.NOSPACE)) throw new ApiError('no-space');
    this.#checkSound();
  }

  #checkTxnSpace(request: pb.TxnRequest): void {
    if (hasPut(request)) this.#checkSpace();
    else this.#checkSound();
  }

  #checkSound(): void {
    if (this.alarms.has(pb.AlarmType.CORRUPT)) throw new ApiError('corrupt');
  }

  *#deleteRange(request: pb.DeleteRangeRequest): Steps<pb.DeleteRangeResponse> {
    this.#checkSound();
    return yield* this.#writes.deleteRange(request);
  }

  *#txn(request: pb.TxnRequest): Steps<pb.TxnResponse> {
    this.#checkTxnSpace(request);
    const path = yield* choosePath(this.#spaces.kv, this.#state.revision, request, AT_ONCE);
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.checkRevision(op.value.revision);
      if (op.case !== 'requestPut') return;
      this.#checkIgnored(op.value); // the other way round than in a put of its own, as in etcd
      this.#checkLease(op.value);
    });
    let tooLarge: StoreLimitError | undefined;
    const view: TxnView = {
      range: (range) => this.#rangeInTxn(range, (error) => (tooLarge = error)),
      put: (put) => this.#writes.put(put),
      deleteRange: (range) => this.#writes.deleteRange(range),
    };
    const response = yield* this.#asOneRevision(runPath(path, view));
    if (tooLarge !== undefined) throw tooLarge;
    return { ...response, header: revisionHeader(this.#state.revision) };
  }

  /** A range that is too large must not end a transaction halfway: it goes on, and is answered with the error. */
  *#rangeInTxn(request: pb.RangeRequest, onTooLarge: (error: StoreLimitError) => void): Steps<pb.RangeResponse> {
    const seen = this.#writes.revisionSeen;
    try {
      return yield* this.#rangeResponse(request, seen, AT_ONCE);
    } catch (error) {
      if (!(error instanceof StoreLimitError)) throw error;
      onTooLarge(error);
      return pb.RangeResponse.create({ header: revisionHeader(seen) });
    }
  }

  /** A member may tell its own name and client URLs; who is a member at all is not for this command to change. */
  #setMemberAttributes(told: pb.Member): undefined {
    const known = this.#members.find((m) => m.id === told.id);
    if (!known) return;
    writeMember(this.#spaces.writer, this.#spaces.meta, { ...known, name: told.name, clientURLs: told.clientURLs });
    this.#members = readMembers(this.#spaces.meta);
  }

  // --- Compaction: the past before a revision can no longer be read; the engine drops it as it merges tables. ---

  #compact({ revision: at }: pb.CompactionRequest): pb.CompactionResponse {
    this.#checkSound();
    if (at <= this.#state.compactRevision) throw new ApiError('compacted');
    if (at > this.#state.revision) throw new ApiError('future-revision');
    this.#state.compactRevision = at;
    return pb.CompactionResponse.create({ header: revisionHeader(this.#state.revision) });
  }

  /** Called when an entry that compacts is committed: from then on the engine may drop what it took away. */
  onCompact(listener: () => void): void {
    this.#onCompact = listener;
  }

  /** Lets the engine give back the space of what is compacted and deleted, as far as it is worth the work. */
  async reclaim(): Promise<void> {
    await this.#engine.flush();
    await this.#engine.settle();
  }

  // --- Leases. ---

  #grant({ id, ttl }: pb.LeaseGrantRequest): pb.LeaseGrantResponse {
    this.#checkSpace();
    if (ttl > MAX_LEASE_TTL) throw new ApiError('lease-ttl-too-large');
    assert(id !== 0n && ttl > 0, 'who proposes a lease gives it an id and a time');
    const lease = this.leases.grant(id, ttl, this.#state.leaseClockMs);
    return pb.LeaseGrantResponse.create({ header: revisionHeader(this.#state.revision), id, ttl: lease.ttl });
  }

  *#revoke({ id }: pb.LeaseRevokeRequest): Steps<pb.LeaseRevokeResponse> {
    this.#checkSound();
    if (!this.leases.get(id)) throw new ApiError('lease-not-found');
    yield* this.#endLease(id);
    return pb.LeaseRevokeResponse.create({ header: revisionHeader(this.#state.revision) });
  }

  /** All keys of a lease go in one revision; a lease without keys makes none. */
  *#endLease(id: bigint): Steps<void> {
    yield* this.#asOneRevision(this.#writes.deleteLeased(id));
    this.leases.remove(id);
  }

  #renew({ id }: pb.LeaseKeepAliveRequest): pb.LeaseKeepAliveResponse {
    const lease = this.leases.renew(id, this.#state.leaseClockMs);
    return pb.LeaseKeepAliveResponse.create({ header: revisionHeader(this.#state.revision), id, ttl: lease?.ttl ?? 0 });
  }

  *#tick({ fromMs, toMs }: LeaseTick): Steps<TickResult> {
    const isLate = fromMs !== this.#state.leaseClockMs || toMs < fromMs;
    if (isLate || this.alarms.has(pb.AlarmType.CORRUPT)) return { more: false };
    const leaseClockMs = Math.min(toMs, fromMs + MAX_TICK_MS);
    this.#state.leaseClockMs = leaseClockMs;
    let due = this.leases.nextDue(leaseClockMs);
    for (let ended = 0; due && ended < LEASES_PER_TICK; ended++) {
      yield* this.#endLease(due.id);
      due = this.leases.nextDue(leaseClockMs);
    }
    this.#onTick();
    return { more: due !== undefined };
  }

  /** Called after each tick of the lease clock that counted. */
  onTick(listener: () => void): void {
    this.#onTick = listener;
  }

  // --- Reading: as of a revision that is applied. ---

  /** Throws ApiError unless a read at `requested` (0 or less: the latest) can be answered. */
  checkRevision(requested: number): void {
    if (requested > this.#state.revision) throw new ApiError('future-revision');
    if (requested > 0 && requested < this.#state.compactRevision) throw new ApiError('compacted');
  }

  /** A range in steps, pinned to the revision at the call; make the response of the result at once. */
  rangeSteps(request: pb.RangeRequest): {
    readonly steps: Steps<RangeResult>;
    readonly toResponse: (result: RangeResult) => pb.RangeResponse;
  } {
    this.checkRevision(request.revision);
    const at = request.revision > 0 ? revision(request.revision) : this.#state.revision;
    const steps = rangeSteps(this.#spaces.kv, request, { at, known: this.#counts, patient: true });
    // The header names the revision that was current at the call, whatever the read was as of: not a later one, or a client that goes on to watch
    // from there would miss what came between.
    const header = revisionHeader(this.#state.revision);
    return { steps, toResponse: (result) => pb.RangeResponse.create({ header, ...result }) };
  }

  /** As `rangeSteps`, with the keys in chunks of at most `maxBytes`; the result has the last keys. For ranges in key order, without filters. */
  rangeChunks(
    request: pb.RangeRequest,
    maxBytes: number,
  ): { readonly chunks: RangeChunks; readonly toResponse: (result: RangeResult) => pb.RangeResponse } {
    const { toResponse } = this.rangeSteps(request);
    const at = request.revision > 0 ? revision(request.revision) : this.#state.revision;
    return { chunks: rangeChunks(this.#spaces.kv, request, at, maxBytes, this.#counts), toResponse };
  }

  /**
   * Of all that can be read as of `requested` (0: now) and of the history behind it; equal on members that are equal. Begins anew when a compaction
   * takes some of that history away meanwhile.
   */
  *hash(requested: number): Steps<StoreHash> {
    for (;;) {
      const { compactRevision } = this.#state;
      // Of an entry in work the history is not whole yet.
      const now = this.watches.revision;
      if (requested > now) throw new ApiError('future-revision');
      this.checkRevision(requested);
      const hashRevision = requested > 0 ? requested : now;
      try {
        const hash = yield* hashStore(this.#spaces.kv, this.#history, { from: compactRevision, to: hashRevision });
        if (this.#state.compactRevision === compactRevision) return { hash, compactRevision, hashRevision };
      } catch (error) {
        if (!isCompactedAway(error)) throw error;
      }
    }
  }

  /** A transaction of ranges alone (`isReadOnlyTxn`), answered from what is applied, all of it as of the revision at the first step. */
  *readOnlyTxn(request: pb.TxnRequest): Steps<pb.TxnResponse> {
    return yield* unlessCompacted(this.#readTxn(request));
  }

  /**
   * Do its compares, by what is applied now, choose operations that only read? A no if that is not to be said in a moment. A promise if the disk has
   * to be asked: what it answers is in memory then, for the transaction to be applied without a wait.
   */
  wouldOnlyRead(request: pb.TxnRequest): boolean | Promise<boolean> {
    const steps = choosePath(this.#spaces.kv, this.#state.revision, request, PATIENTLY);
    const first = steps.next();
    if (first.done === true) return onlyReads(first.value);
    if (first.value !== undefined) return this.#wouldOnlyRead(steps, first.value);
    steps.return(undefined as never); // closes what it holds
    return false;
  }

  /** As `wouldOnlyRead`, of which the first step waits. */
  async #wouldOnlyRead(steps: Steps<TxnPath>, wait: Promise<unknown>): Promise<boolean> {
    try {
      for (let next: Promise<unknown> | undefined = wait; next !== undefined;) {
        await next;
        const step = steps.next();
        if (step.done === true) return onlyReads(step.value);
        next = step.value;
      }
    } catch (error) {
      if (!isCompactedAway(error)) throw error;
    } finally {
      steps.return(undefined as never);
    }
    return false;
  }

  /** Any transaction, as `readOnlyTxn`, if its compares choose operations that only read; else undefined: it has to be applied. */
  *txnIfItOnlyReads(request: pb.TxnRequest): Steps<pb.TxnResponse | undefined> {
    this.#checkTxnSpace(request);
    const at = this.#state.revision;
    const path = yield* unlessCompacted(choosePath(this.#spaces.kv, at, request, PATIENTLY));
    return onlyReads(path) ? yield* unlessCompacted(this.#readPath(path, at)) : undefined;
  }

  *#readTxn(request: pb.TxnRequest): Steps<pb.TxnResponse> {
    const at = this.#state.revision;
    return yield* this.#readPath(yield* choosePath(this.#spaces.kv, at, request, PATIENTLY), at);
  }

  *#readPath(path: TxnPath, at: Revision): Steps<pb.TxnResponse> {
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.checkRevision(op.value.revision);
    });
    const refuse = (): never => {
      throw new Error('a transaction of ranges does not write');
    };
    const response = yield* runPath(path, {
      range: (range) => this.#rangeResponse(range, at, PATIENTLY),
      put: refuse,
      deleteRange: refuse,
    });
    return { ...response, header: revisionHeader(at) };
  }

  *#rangeResponse(request: pb.RangeRequest, seen: Revision, patient: boolean): Steps<pb.RangeResponse> {
    const at = request.revision > 0 ? revision(request.revision) : seen;
    return pb.RangeResponse.create({ header: revisionHeader(seen), ...(yield* rangeSteps(this.#spaces.kv, request, { at, patient })) });
  }
}

/** What reads while it is applied waits for the disk: nothing else may happen to the store meanwhile. */
const AT_ONCE = false;
const PATIENTLY = true;

/** A read whose revision is compacted away between two of its steps is refused like one that comes later. */
function* unlessCompacted<T>(steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    if (isCompactedAway(error)) throw new ApiError('compacted');
    throw error;
  }
}

function isCompactedAway(error: unknown): boolean {
  return error instanceof LsmError && error.code === 'compacted';
}
