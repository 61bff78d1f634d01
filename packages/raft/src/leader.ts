// The leader: appends what is proposed, brings every follower's log in line with its own (Raft §5.3), commits what a
// majority has (Raft §5.4.2), and answers reads (Raft dissertation §6.4). A leader belongs to one term.
//
// Nothing is sent while messages and proposals come in: what gathers in a turn goes out together when a Ready is taken,
// at most one append to each follower, so one Ready is a bounded portion of work and a batch costs one message.
import { assert, EMPTY, unreachable } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { ByteWindow } from './byte-window.ts';
import { encodeConfiguration } from './configuration-codec.ts';
import { admit, isJoint, leaveJoint, stepTowards, votesIn } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { Lease } from './lease.ts';
import type { Member } from './member.ts';
import type { AppendEntriesResponse, Entry, EntryKind, HeartbeatResponse, Message } from './messages.ts';
import { Progress } from './progress.ts';
import { reachedByQuorum } from './quorum.ts';
import { ReadQueue } from './read-queue.ts';
import type { PendingRead } from './read-queue.ts';
import type { ConfigurationResult, ProposeResult, ReadIndexResult, Rejection } from './types.ts';

/**
 * Invariants:
 * 1. It only appends to its log, never replaces (Raft §5.3, leader append-only); so the log is stable up to its own match.
 * 2. It commits by counting only entries of its own term (Raft §5.4.2, figure 8).
 * 3. It answers no read before an entry of its own term is committed (Raft §8).
 * 4. While it hands over, it appends nothing (dissertation §3.10): a successor that has everything keeps having everything.
 * 5. It keeps a progress for every other member of the configuration in force, and for nobody else.
 * 6. At most one configuration of its log is not committed; another is begun only when that one is, and is not joint.
 */
export class Leader {
  readonly role = 'leader';
  readonly leader: MemberId;
  readonly #member: Member;
  readonly #followers: Map<MemberId, Progress> = new Map();
  readonly #reads: ReadQueue;
  readonly #lease: Lease | undefined;
  readonly #uncommitted: ByteWindow;
  /** The no-op that starts its term. */
  readonly #firstIndex: LogIndex;
  /** Since it was elected. */
  #ticks = 0;
  #ticksSinceHeartbeat = 0;
  #commitAtLastTick = Infinity;
  #transfer: { readonly to: MemberId; readonly endsAtTick: number } | undefined;
  /**
   * What followers proposed while it hands over. They count on it until they see another term: if this leader goes on in its own, nobody
   * else would take these up, and their clients would wait until they give up.
   */
  #held: (readonly Uint8Array[])[] = [];
  #heldBytes = 0;

  constructor(member: Member) {
    const { id, log, limits } = member;
    this.leader = id;
    this.#member = member;
    this.#firstIndex = (log.lastIndex + 1) as LogIndex;
    this.#reads = new ReadQueue(id);
    this.#lease = limits.lease && new Lease(id, limits.lease);
    this.#uncommitted = new ByteWindow(limits.maxUncommittedBytes);
    this.#followMembers();
    this.#append('noop', [EMPTY]);
    this.#beatAnew();
  }

  /** Another configuration may be in force: new members are tried at the end of the log, those that left are sent no more. */
  #followMembers(): void {
    const { peers, log, limits } = this.#member;
    for (const follower of this.#followers.keys()) if (!peers.includes(follower)) this.#followers.delete(follower);
    for (const peer of peers) {
      if (this.#followers.has(peer)) continue;
      this.#followers.set(peer, new Progress(0 as LogIndex, (log.lastIndex + 1) as LogIndex, limits.maxInflightAppends, this.#ticks));
    }
  }

  /** How far each follower's log is known to match. */
  get match(): ReadonlyMap<MemberId, LogIndex> {
    return new Map([...this.#followers].map(([id, progress]) => [id, progress.match]));
  }

  tick(): void {
    this.#ticks++;
    if (this.#transfer !== undefined && this.#ticks >= this.#transfer.endsAtTick) this.#leadOn();
    this.#leaveJointWhenCommitted();
    this.#admitWhenReady();
    if (++this.#ticksSinceHeartbeat < this.#member.limits.heartbeatTicks) return;
    this.#ticksSinceHeartbeat = 0;
    this.#beatAnew();
    for (const progress of this.#followers.values()) progress.heartbeatSent();
    this.#handOverWhenReady(); // The last time may have been lost.
  }

  /**
   * Whether a majority has answered within the last election timeout (check-quorum, dissertation §6.2). If not, there may be
   * another leader already, and in any case there is nothing that this one can do for its clients.
   */
  get hasQuorum(): boolean {
    const heard = reachedByQuorum(this.#member.configuration, (voter) => this.#heardAtTick(voter));
    return this.#ticks - heard < this.#member.limits.electionTicks;
  }

  #heardAtTick(voter: MemberId): number {
    return voter === this.leader ? this.#ticks : (this.#followers.get(voter)?.heardAtTick ?? 0);
  }

  /** Whether it should lead on: it answers to a quorum, its disk works, and it was not voted out by what is committed. */
  get mayLead(): boolean {
    return this.hasQuorum && !this.#member.diskHangs && !this.isRemoved;
  }

  /** It leads on until the configuration that it is not in is committed (dissertation §4.2.2). */
  get isRemoved(): boolean {
    const { isVoter, configurationIndex, log } = this.#member;
    return !isVoter && configurationIndex <= log.commit;
  }

  /** It steps down without having been deposed: who has the most may run at once, so that nobody has to wait for an election timeout. */
  resign(): void {
    const { id: from, term, outbox } = this.#member;
    const to = this.successor;
    if (to !== undefined) outbox.send({ kind: 'timeout-now', from, to, term });
  }

  /** Begins to hand over to another member (dissertation §3.10); without effect when that is under way already. */
  transferTo(to: MemberId): void {
    if (this.#transfer?.to === to) return;
    this.#transfer = { to, endsAtTick: this.#ticks + this.#member.limits.electionTicks };
    this.#handOverWhenReady();
  }

  /** Once the successor has the whole log, it may run: nothing is appended any more, and so it wins. */
  #handOverWhenReady(): void {
    if (this.#transfer === undefined) return;
    const { to } = this.#transfer;
    const { id: from, term, log, outbox } = this.#member;
    if (this.#followers.get(to)?.match !== log.lastIndex) return;
    this.#lease?.end();
    outbox.send({ kind: 'timeout-now', from, to, term });
  }

  /** Who would take over soonest: of the voters that answered within the last election timeout, the one with the most on its disk. */
  get successor(): MemberId | undefined {
    let best: MemberId | undefined;
    let bestMatch = -1;
    for (const [id, { match, heardAtTick }] of this.#followers) {
      if (match <= bestMatch || !this.#isActive(heardAtTick) || !votesIn(this.#member.configuration, id)) continue;
      best = id;
      bestMatch = match;
    }
    return best;
  }

  #isActive(heardAtTick: number): boolean {
    return this.#ticks - heardAtTick < this.#member.limits.electionTicks;
  }

  step(message: Message): Rejection | undefined {
    switch (message.kind) {
      case 'append-entries-response':
        return this.#stepAppendResponse(message);
      case 'heartbeat-response':
        return this.#stepHeartbeatResponse(message);
      case 'propose':
        if (!this.#followers.has(message.from)) return 'unknown-sender';
        this.#takeForwarded(message.commands);
        return undefined;
      case 'propose-configuration':
        this.proposeConfiguration(message.basis, message.target); // If not now, it is dropped, as a lost message would be.
        return undefined;
      case 'read-index':
        if (!this.#followers.has(message.from)) return 'unknown-sender';
        this.#reads.add(message);
        return undefined;
      case 'pre-vote-response':
      case 'request-vote-response':
        return undefined; // A vote that came after the election was won.
      case 'append-entries':
      case 'heartbeat':
      case 'timeout-now':
      case 'read-index-response':
        return 'second-leader';
      case 'pre-vote':
      case 'request-vote':
        return undefined; // Answered in every role alike.
      default:
        return unreachable(message);
    }
  }

  /** Past the bound it is dropped, as a lost message would be. */
  #takeForwarded(commands: readonly Uint8Array[]): void {
    if (this.#transfer === undefined) {
      this.propose(commands);
      return;
    }
    const bytes = commands.reduce((sum, { length }) => sum + length, 0);
    if (this.#heldBytes + bytes > this.#member.limits.maxUncommittedBytes) return;
    this.#heldBytes += bytes;
    this.#held.push(commands);
  }

  /** The successor did not take over in time. */
  #leadOn(): void {
    this.#transfer = undefined;
    for (const commands of this.#held) this.propose(commands);
    this.#held = [];
    this.#heldBytes = 0;
  }

  propose(commands: readonly Uint8Array[]): ProposeResult {
    if (this.#transfer !== undefined) return { outcome: 'transferring' };
    let bytes = 0;
    for (const command of commands) bytes += command.length;
    if (!this.#uncommitted.empty && bytes > this.#uncommitted.room) return { outcome: 'overloaded' };
    const lastIndex = this.#append('command', commands);
    this.#uncommitted.add(lastIndex, bytes);
    return { outcome: 'appended', term: this.#member.term, lastIndex };
  }

  proposeConfiguration(basis: LogIndex, target: Configuration): ConfigurationResult {
    const { configuration, configurationIndex } = this.#member;
    if (basis !== configurationIndex || isJoint(configuration) || !this.#mayReconfigure) return 'not-now';
    this.#appendConfiguration(stepTowards(configuration, target));
    return 'appended';
  }

  /** The configuration in force is committed, and so is something of this leader's own term (dissertation §4.3 and its erratum). */
  get #mayReconfigure(): boolean {
    const { log, configurationIndex } = this.#member;
    return configurationIndex <= log.commit && log.commit >= this.#firstIndex && this.#transfer === undefined;
  }

  #appendConfiguration(configuration: Configuration): void {
    assert(this.#member.configurationIndex <= this.#member.log.commit, 'leader 6: one configuration at a time is not committed');
    this.#append('config', [encodeConfiguration(configuration)]);
    this.#lease?.restart();
    this.#followMembers();
  }

  /** A joint configuration was needed only on the way, whoever began it. */
  #leaveJointWhenCommitted(): void {
    const { configuration } = this.#member;
    if (isJoint(configuration) && this.#mayReconfigure) this.#appendConfiguration(leaveJoint(configuration));
  }

  /** Who is joining votes once it has, within a tick, all that is committed, and answers. */
  #admitWhenReady(): void {
    const { log, configuration } = this.#member;
    const caughtUp = this.#commitAtLastTick;
    this.#commitAtLastTick = log.commit;
    if (configuration.joining.length === 0 || isJoint(configuration) || !this.#mayReconfigure) return;
    const isReady = (follower: Progress | undefined): boolean =>
      follower !== undefined && follower.match >= caughtUp && this.#ticks - follower.heardAtTick <= 2 * this.#member.limits.heartbeatTicks;
    const ready = configuration.joining.filter((id) => isReady(this.#followers.get(id)));
    if (ready.length > 0) this.#appendConfiguration(admit(configuration, ready));
  }

  /** The driver has done with the snapshot for a follower; see Ready.snapshots. */
  snapshotSent(to: MemberId, index: LogIndex | undefined): void {
    this.#followers.get(to)?.snapshotSent(index, this.#member.log.lastIndex);
  }

  readIndex(context: number): ReadIndexResult {
    this.#reads.add({ from: this.#member.id, context });
    return 'asked';
  }

  #append(kind: EntryKind, data: readonly Uint8Array[]): LogIndex {
    assert(this.#transfer === undefined, 'leader 4: while it hands over, it appends nothing');
    const { log, term } = this.#member;
    const first = log.lastIndex + 1;
    this.#member.append(data.map((bytes, i): Entry => ({ index: (first + i) as LogIndex, term, kind, data: bytes })));
    return log.lastIndex;
  }

  /** A write of this member is durable: its own match moved on. */
  persisted(): void {
    this.#advance();
  }

  #stepAppendResponse(response: AppendEntriesResponse): Rejection | undefined {
    const { log } = this.#member;
    const { from, matchIndex, conflictIndex } = response;
    const progress = this.#followers.get(from);
    if (progress === undefined) return 'unknown-sender';
    if (matchIndex > log.lastIndex) return 'beyond-log';
    progress.heard(this.#ticks);
    if (response.success) {
      progress.accepted(matchIndex);
      this.#advance();
      if (from === this.#transfer?.to) this.#handOverWhenReady();
    } else if (progress.isNews(matchIndex)) {
      if (matchIndex === 0) progress.needsSnapshot();
      else progress.refused(this.#whereLogsMayAgree(progress.match, Math.min(conflictIndex, matchIndex - 1), response.conflictTerm));
      if (progress.waitsForSnapshot) this.#member.outbox.askForSnapshot(from);
    }
    return undefined;
  }

  /** Nor can the logs agree where this leader's term is later than the follower's. It never goes below what is known to match. */
  #whereLogsMayAgree(match: LogIndex, conflictIndex: number, conflictTerm: Term): LogIndex {
    const { log } = this.#member;
    const high = Math.max(match, conflictIndex) as LogIndex;
    const low = Math.max(match, log.firstIndex - 1) as LogIndex;
    return high <= low ? high : log.lastIndexWithTermUpTo(conflictTerm, low, high);
  }

  #stepHeartbeatResponse(response: HeartbeatResponse): Rejection | undefined {
    if (response.readRound > this.#reads.round) return 'beyond-log';
    const progress = this.#followers.get(response.from);
    if (progress === undefined) return 'unknown-sender';
    progress.heard(this.#ticks);
    progress.heartbeatAnswered(this.#member.log.lastIndex);
    this.#lease?.promised(response, this.#member.configuration);
    this.#reads.answered(response.from, response.readRound);
    this.#answerReads();
    return undefined;
  }

  /** Looks anew at how far everybody is. */
  #advance(): void {
    const { log, term } = this.#member;
    assert(log.lastTerm === term, 'leader 1: it only appends, so its log ends in its own term');
    const matchOf = (id: MemberId): number => (id === this.leader ? log.stableIndex : (this.#followers.get(id)?.match ?? 0));
    const reached = reachedByQuorum(this.#member.configuration, matchOf) as LogIndex;
    if (reached <= log.commit || log.termAt(reached) !== term) return;
    this.#member.commitTo(reached);
    this.#uncommitted.release(reached);
    this.#leaveJointWhenCommitted();
  }

  /** Whether a Ready taken now would find something to send. */
  get hasWork(): boolean {
    if (this.#readsMayBegin) return true;
    const { lastIndex, commit } = this.#member.log;
    for (const progress of this.#followers.values()) if (progress.wantsAppend(lastIndex, commit)) return true;
    return false;
  }

  /** Sends what has gathered. */
  work(): void {
    if (this.#readsMayBegin) {
      const { commit } = this.#member.log;
      if (this.#lease?.holds === true) {
        this.#answer(commit, this.#reads.takeGathered());
      } else {
        this.#reads.beginRound(commit);
        this.#beat();
        this.#answerReads();
      }
    }
    const { lastIndex, commit } = this.#member.log;
    for (const [follower, progress] of this.#followers) if (progress.wantsAppend(lastIndex, commit)) this.#sendAppend(follower, progress);
  }

  get #readsMayBegin(): boolean {
    return this.#reads.hasGathered && this.#member.log.commit >= this.#firstIndex;
  }

  #sendAppend(to: MemberId, progress: Progress): void {
    const { id: from, term, log, limits, outbox } = this.#member;
    const prevLogIndex = (progress.next - 1) as LogIndex;
    const prevLogTerm = log.termAt(prevLogIndex);
    if (prevLogTerm === undefined) {
      if (!this.#isActive(progress.heardAtTick)) return;
      progress.needsSnapshot();
      outbox.askForSnapshot(to);
      return;
    }
    const entries = progress.hasRoom ? log.entriesFrom(progress.next, limits.maxAppendBytes) : [];
    outbox.send({ kind: 'append-entries', from, to, term, prevLogIndex, prevLogTerm, entries, leaderCommit: log.commit });
    progress.sent((prevLogIndex + entries.length) as LogIndex, log.commit);
  }

  /** As often as this a lease is renewed. */
  #beatAnew(): void {
    if (this.#lease !== undefined) {
      this.#reads.nextRound();
      this.#lease.began(this.#reads.round);
    }
    this.#beat();
  }

  #beat(): void {
    const { id: from, term, log, outbox } = this.#member;
    for (const [to, { match }] of this.#followers) {
      const leaderCommit = match < log.commit ? match : log.commit;
      outbox.send({ kind: 'heartbeat', from, to, term, leaderCommit, readRound: this.#reads.round });
    }
  }

  #answerReads(): void {
    for (const { readIndex, reads } of this.#reads.takeConfirmed(this.#member.configuration)) this.#answer(readIndex, reads);
  }

  #answer(readIndex: LogIndex, reads: readonly PendingRead[]): void {
    const { id, term, outbox } = this.#member;
    for (const { from, context } of reads) {
      if (from === id) outbox.answerRead({ context, index: readIndex });
      else outbox.send({ kind: 'read-index-response', from: id, to: from, term, context, readIndex });
    }
  }
}
