// The driver of the consensus core: it gives the core its events, and does the work that the core hands out. Everything that a member does as
// a part of the cluster passes here: proposals in, messages out and in, entries to the log, committed entries to the store.
//
//            propose()            read()                messages of peers        ticks
//               │                   │                         │                    │
//               ▼                   ▼                         ▼                    ▼
//          Proposals ──►  ┌──────────────────────  Raft (pure)  ──────────────────────────┐
//               ▲         └─ messages ──► Peers · writes ──► RaftLog · committed ──► Applier ┘
//               └──────────────────────── results ────────────────────────────────────┘
import { type LogIndex, type MemberId, type Term, assert } from '@distrokv/base';
import type { Env, Logger, Timer } from '@distrokv/env';
import { ApiError, type Command, type CommandResults, type PlainPut, type Store, encodeCommand } from '@distrokv/mvcc';
import {
  type Configuration,
  type Message,
  Raft,
  type ConfigurationResult,
  type RaftStatus,
  type Ready,
  type SoftState,
  type TransferResult,
} from '@distrokv/raft';
import type { ServerConfig } from '../config.ts';
import type { RaftLog } from '../raft-log/raft-log.ts';
import { Applier } from './applier.ts';
import { badLeaderTransferee, noLeader, notLeader, serverStopped, timedOutLeaderTransfer, tooManyRequests } from './errors.ts';
import { appliedConfiguration } from './membership.ts';
import { MembershipChanges, type MembershipPlan } from './membership-changes.ts';
import { Proposals } from './proposals.ts';
import { ReadBarrier } from './read-barrier.ts';

/** While a write to the log is under way, a leader gathers proposals up to this size: they share the next write. */
const GATHER_BYTES = 256 << 10;
/** A request is given up after this time and two elections, as in etcd. */
const REQUEST_TIMEOUT_MS = 5000;
/** A majority whose members reach each other has a leader again by then: after so many elections without one, requests are told. */
const LEADERLESS_ELECTIONS = 3;
/** Most entries that may be committed and not applied; past it commands are refused, as in etcd. */
const MAX_BACKLOG = 5000;
/** How often a transfer of leadership is looked after. */
const TRANSFER_POLL_MS = 10;

/** Carries messages to the other members. A message arrives at most once, or not at all; those to one member that arrive do so in order. */
export interface PeerSender {
  send(messages: readonly Message[]): void;
}

export interface ReplicaOptions {
  readonly env: Env;
  readonly logger: Logger;
  readonly log: RaftLog;
  readonly store: Store;
  readonly peers: PeerSender;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly leaseReads?: ServerConfig['leaseReads'];
  /** Larger commands are refused. */
  readonly maxCommandBytes: number;
  /** Something broke that a member must not survive; called once. */
  readonly onFatal: (error: unknown) => void;
  /** Another configuration is in force: whom to reach, and where. Called again when it is applied: then `isRemoved` of the store has it. */
  readonly onConfiguration: (configuration: Configuration) => void;
  /** This member was removed, and that is committed. */
  readonly onRemoved: () => void;
  /** A follower needs what the log here no longer has: send it a snapshot, then say `snapshotSent`. May be asked for one that is under way. */
  readonly onSnapshotWanted: (to: MemberId) => void;
}

export class Replica {
  readonly id: MemberId;
  readonly #options: ReplicaOptions;
  readonly #raft: Raft;
  readonly #proposals: Proposals;
  readonly #reads: ReadBarrier;
  readonly #applier: Applier;
  readonly #changes: MembershipChanges;
  #soft: SoftState;
  #isLearner = false;
  /** When there was a leader last, or this member started. */
  #leaderSeenMs: number;
  #ticks: Timer | undefined;
  #turnPlanned = false;
  #stopped = false;
  readonly #leaderlessListeners: (() => void)[] = [];
  readonly #leaderListeners: ((leader: MemberId | undefined) => void)[] = [];

  constructor(options: ReplicaOptions) {
    const { env, log, store, heartbeatMs, electionMs, leaseReads } = options;
    const now = (): number => env.clock.monotonicMs();
    this.#options = options;
    this.id = log.identity.memberId;
    const { configuration, index: configurationIndex } = appliedConfiguration(store);
    this.#raft = new Raft({
      id: this.id,
      configuration,
      configurationIndex,
      hardState: log.hardState,
      storage: log,
      applied: store.state.appliedIndex,
      random: env.random,
      electionTicks: Math.max(2, Math.round(electionMs / heartbeatMs)),
      heartbeatTicks: 1,
      ...(leaseReads && { lease: { now, tickMs: heartbeatMs, maxDrift: leaseReads.maxDrift } }),
    });
    this.#soft = this.#raft.status();
    this.#leaderSeenMs = now();
    const timeoutMs = REQUEST_TIMEOUT_MS + 2 * electionMs;
    this.#proposals = new Proposals({
      origin: this.id,
      session: env.random.uint32(),
      timeoutMs,
      now,
      propose: (payloads) => this.#raft.propose(payloads),
    });
    this.#reads = new ReadBarrier(
      { random: env.random, timeoutMs, now, readIndex: (context) => this.#raft.readIndex(context) },
      store.state.appliedIndex,
    );
    this.#changes = new MembershipChanges({
      timers: env.timers,
      timeoutMs,
      now,
      applied: () => appliedConfiguration(store),
      linearize: () => this.linearize(),
      propose: (basis, target) => this.#proposeConfiguration(basis, target),
    });
    this.#applier = new Applier({
      env,
      store,
      proposals: this.#proposals,
      onApplied: (index) => this.#guard(() => this.#applied(index)),
      onConfiguration: () => this.#configurationApplied(),
      onFatal: (error) => this.#fail(error),
    });
  }

  /** Begins to take part. A member that is alone leads at once. */
  start(): void {
    const { env, heartbeatMs } = this.#options;
    const tick = (): void => this.#guard(() => this.#tick());
    // Members that start together, when power comes back, would otherwise tick together for good: those whose random election timeouts have as many
    // ticks would run for leader in the same instant, and split the votes.
    this.#ticks = env.timers.after(env.random.below(heartbeatMs), () => {
      this.#ticks = env.timers.every(heartbeatMs, tick);
      tick();
    });
    this.#guard(() => {
      const { voters } = this.#raft.status().configuration;
      if (voters.length === 1 && voters[0] === this.id) this.#raft.campaign();
      this.#work();
    });
  }

  /** Takes part no more. Requests that wait fail with "server stopped"; what was applied stays. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ticks?.cancel();
    this.#proposals.failAll(serverStopped());
    this.#reads.failAll(serverStopped());
    await this.#applier.stop();
  }

  /** Resolves with the store's answer once the command is committed and applied here; rejects with ApiError or GrpcError. */
  propose<K extends Command['kind']>(command: Extract<Command, { kind: K }>): Promise<CommandResults[K]> {
    const bytes = encodeCommand(command);
    const refused = this.#refusal(bytes.length);
    if (refused !== undefined) return Promise.reject(refused);
    const result = this.#proposals.add(command, bytes);
    this.#planTurn();
    return result as Promise<CommandResults[K]>; // the store answers each command in its own kind
  }

  /** As `propose`, of a put that is copied from where it lies. */
  proposePut(put: PlainPut): Promise<CommandResults['put']> {
    const refused = this.#refusal(put.byteLength);
    if (refused !== undefined) return Promise.reject(refused);
    const result = this.#proposals.addPut(put);
    this.#planTurn();
    return result as Promise<CommandResults['put']>;
  }

  /** Why a command of so many bytes cannot be proposed now. */
  #refusal(bytes: number): Error | undefined {
    if (this.#stopped) return serverStopped();
    if (bytes > this.#options.maxCommandBytes) return new ApiError('request-too-large');
    if (this.#raft.backlog > MAX_BACKLOG) return tooManyRequests();
    return undefined;
  }

  /** Resolves when a read of the store is linearizable. */
  linearize(): Promise<void> {
    if (this.#stopped) return Promise.reject(serverStopped());
    const ready = this.#reads.wait();
    this.#planTurn();
    return ready;
  }

  /** Changes who the members are; see MembershipChanges. */
  changeMembers(plan: MembershipPlan): Promise<void> {
    return this.#changes.change(plan);
  }

  #proposeConfiguration(basis: LogIndex, target: Configuration): ConfigurationResult {
    let result: ConfigurationResult = 'no-leader';
    this.#guard(() => {
      result = this.#raft.proposeConfiguration(basis, target);
      this.#work();
    });
    if (this.#stopped) throw serverStopped();
    return result;
  }

  #configurationApplied(): void {
    this.#changes.applied();
    this.#options.onConfiguration(this.#raft.status().configuration);
    // Not being named is not enough: a new member may still apply what came before it was added.
    if (this.#options.store.isRemoved(this.id)) this.#options.onRemoved();
  }

  /** A follower has everything up to `index` by a snapshot; or it could not be sent one (undefined). */
  snapshotSent(to: MemberId, index: LogIndex | undefined): void {
    this.#guard(() => {
      this.#raft.snapshotSent(to, index);
      this.#work();
    });
  }

  /** Whether a snapshot up to this entry would bring this member anything. */
  needsSnapshot(index: LogIndex, term: Term): boolean {
    return !this.#stopped && this.#raft.needsSnapshot(index, term);
  }

  /** Makes `target` the leader; resolves when it is. Rejects with GrpcError: `failed-precondition` when this member cannot do that. */
  async moveLeader(target: MemberId): Promise<void> {
    if (target === this.id && this.#soft.role === 'leader') return;
    const result = this.#transfer(target);
    if (result === 'not-leader') throw notLeader();
    if (result === 'bad-target') throw badLeaderTransferee();
    if (!(await this.#leaderBecomes((leader) => leader === target, 2 * this.#options.electionMs))) throw timedOutLeaderTransfer();
  }

  /** Before this member stops: if it leads, another that is up to date leads on, without an election's pause. At most an election timeout. */
  async handOver(): Promise<void> {
    const successor = this.#stopped ? undefined : this.#raft.successor();
    if (successor === undefined || this.#transfer(successor) !== 'started') return;
    await this.#leaderBecomes((leader) => leader !== undefined && leader !== this.id, this.#options.electionMs);
  }

  #transfer(to: MemberId): TransferResult {
    let result: TransferResult = 'not-leader';
    this.#guard(() => {
      this.#turn(); // what has gathered goes first
      result = this.#raft.transferLeadership(to);
      this.#work();
    });
    return result;
  }

  async #leaderBecomes(wanted: (leader: MemberId | undefined) => boolean, withinMs: number): Promise<boolean> {
    const { clock, timers } = this.#options.env;
    const deadlineMs = clock.monotonicMs() + withinMs;
    while (!wanted(this.#soft.leader) && !this.#stopped && clock.monotonicMs() < deadlineMs) await timers.sleep(TRANSFER_POLL_MS);
    return wanted(this.#soft.leader);
  }

  /** Messages from a peer, as they come off the wire. */
  receive(messages: readonly Message[]): void {
    this.#guard(() => {
      for (const message of messages) {
        const refused = this.#raft.step(message);
        if (refused !== undefined)
          this.#options.logger.debug('refused a message of a peer', { kind: message.kind, from: message.from, reason: refused });
      }
      this.#planTurn();
    });
  }

  get leader(): MemberId | undefined {
    return this.#soft.leader;
  }

  /** It has no vote in the configuration in force, and is not about to get one. */
  get isLearner(): boolean {
    return this.#isLearner;
  }

  get term(): Term {
    return this.#soft.term;
  }

  get status(): RaftStatus {
    return this.#raft.status();
  }

  /** The commands of this member's clients: how many wait, and how many failed since the start. */
  get proposalCounts(): { readonly pending: number; readonly failed: number } {
    return { pending: this.#proposals.waiting, failed: this.#proposals.failed };
  }

  onLeaderChange(listener: (leader: MemberId | undefined) => void): void {
    this.#leaderListeners.push(listener);
  }

  /** Called now and then while there has been no leader for several elections. */
  onLeaderless(listener: () => void): void {
    this.#leaderlessListeners.push(listener);
  }

  // --- The turn: what came in since the last one goes to the core together, and the core's work goes out together. ---

  #planTurn(): void {
    if (this.#turnPlanned || this.#stopped) return;
    this.#turnPlanned = true;
    this.#options.env.timers.defer(() => {
      this.#turnPlanned = false;
      this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    // A leader that is writing gathers on: one larger write costs less than two. A follower's proposals leave at once.
    const gather = this.#soft.role === 'leader' && this.#options.log.isBusy && this.#proposals.gatheredBytes < GATHER_BYTES;
    if (!gather) this.#proposals.flush();
    this.#reads.flush();
    this.#work();
  }

  #tick(): void {
    this.#raft.tick();
    if (this.#soft.leader !== undefined) this.#proposals.leaderKnown();
    this.#proposals.flush(); // The disk may hang: what has gathered is to expire as well.
    this.#proposals.expire();
    this.#reads.tick();
    this.#work();
    this.#tellIfLeaderless();
  }

  #tellIfLeaderless(): void {
    const { env, electionMs } = this.#options;
    const now = env.clock.monotonicMs();
    if (this.#soft.leader !== undefined) this.#leaderSeenMs = now;
    if (now - this.#leaderSeenMs < LEADERLESS_ELECTIONS * electionMs) return;
    this.#proposals.failUntaken(noLeader());
    this.#reads.failUnanswered(noLeader());
    for (const listener of this.#leaderlessListeners) listener();
  }

  #work(): void {
    while (this.#raft.hasReady()) this.#do(this.#raft.ready());
  }

  /** The order of the steps is the core's contract (`Ready`). */
  #do(ready: Ready): void {
    if (ready.messages.length > 0) this.#options.peers.send(ready.messages);
    if (ready.writeId > 0) {
      const { writeId, hardState, entries, messagesAfterPersist } = ready;
      this.#options.log.write({ hardState, entries, onDurable: () => this.#guard(() => this.#persisted(writeId, messagesAfterPersist)) });
    }
    this.#applier.add(ready.committed);
    if (ready.configuration) {
      this.#isLearner = ready.configuration.learners.includes(this.id);
      this.#options.onConfiguration(ready.configuration);
    }
    for (const to of ready.snapshots) this.#options.onSnapshotWanted(to);
    for (const { context, index } of ready.readStates) this.#reads.answer(context, index);
    if (ready.softState) this.#softStateChanged(ready.softState);
  }

  #persisted(writeId: number, messages: readonly Message[]): void {
    if (messages.length > 0) this.#options.peers.send(messages);
    this.#raft.persisted(writeId);
    this.#proposals.flush();
    this.#work();
  }

  #applied(index: LogIndex): void {
    this.#raft.applied(index);
    this.#reads.applied(index);
    this.#work();
  }

  #softStateChanged(next: SoftState): void {
    const before = this.#soft;
    this.#soft = next;
    if (next.role !== before.role || next.leader !== before.leader) {
      this.#options.logger.info(describe(next, this.id), { term: next.term, leader: next.leader });
    }
    if (next.leader === undefined || (next.leader === before.leader && next.term === before.term)) return;
    this.#proposals.leaderKnown();
    this.#reads.retry();
    for (const listener of this.#leaderListeners) listener(next.leader);
  }

  /** Nothing that the core or the log throws may be lost in a callback: it stops the member. */
  #guard(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ticks?.cancel();
    this.#proposals.failAll(serverStopped());
    this.#reads.failAll(serverStopped());
    this.#options.onFatal(error);
  }
}

function describe(soft: SoftState, own: MemberId): string {
  switch (soft.role) {
    case 'leader':
      assert(soft.leader === own, 'a leader follows itself');
      return 'became leader';
    case 'pre-candidate':
      return 'no word from a leader: asking who would vote for this member';
    case 'candidate':
      return 'running for leader';
    case 'follower':
      return soft.leader === undefined ? 'waiting for a leader' : 'following a leader';
  }
}
