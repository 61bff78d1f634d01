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
import type { Engine } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Alarms } from './alarms.ts';
import { ApiError } from './api-errors.ts';
import { hasPut } from './check.ts';
import { CommandWrites } from './command-writes.ts';
import type { Command, LeaseTick } from './command.ts';
import { StoreLimitError } from './errors.ts';
import { History } from './history.ts';
import { type StoreKeyspaces, keyspacesOf } from './keyspaces.ts';
import { LEASES_PER_TICK, Leases, MAX_LEASE_TTL, MAX_TICK_MS } from './leases.ts';
import { type Membership, membershipIn, readMembers, readRemoved, replaceMembers, writeMember } from './members.ts';
import type { PlainPut } from './plain-put.ts';
import { Reads } from './reads.ts';
import { STATE_KEY, type StoreState, decodeState, encodeState, freshState } from './state.ts';
import { type Steps, runSteps } from './steps.ts';
import { type TxnView, forEachOp, revisionHeader, runPath } from './txn.ts';
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
  /** What is applied, as clients ask for it. */
  readonly reads: Reads;
  readonly #engine: Engine;
  readonly #spaces: StoreKeyspaces;
  readonly #history: History;
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
    this.reads = new Reads({
      kv: this.#spaces.kv,
      history: this.#history,
      state: this.#state,
      committedRevision: () => this.watches.revision,
      checkTxn: (request) => this.#checkTxnSpace(request),
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
    const path = yield* this.reads.pathAtOnce(request);
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.reads.checkRevision(op.value.revision);
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
      return yield* this.reads.rangeAtOnce(request, seen);
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
}
