// The leader: appends what is proposed, brings every follower's log in line with its own (Raft §5.3), commits what a
// majority has (Raft §5.4.2), and answers reads (Raft dissertation §6.4). A leader belongs to one term.
//
// Nothing is sent while messages and proposals come in: what gathers in a turn goes out together when a Ready is taken,
// at most one append to each follower, so one Ready is a bounded portion of work and a batch costs one message.
import { assert, defined, EMPTY, unreachable } from '@distrokv/base';
import type { LogIndex, MemberId } from '@distrokv/base';
import { ByteWindow } from './byte-window.ts';
import type { Member } from './member.ts';
import type { AppendEntriesResponse, Entry, EntryKind, HeartbeatResponse, Message } from './messages.ts';
import { Progress } from './progress.ts';
import { reachedByMajority } from './quorum.ts';
import { ReadQueue } from './read-queue.ts';
import type { ProposeResult, ReadIndexResult, Rejection } from './types.ts';

/**
 * Invariants:
 * 1. It only appends to its log, never replaces (Raft §5.3, leader append-only); so the log is stable up to its own match.
 * 2. It commits by counting only entries of its own term (Raft §5.4.2, figure 8).
 * 3. It answers no read before an entry of its own term is committed (Raft §8).
 * 4. While it hands over, it appends nothing (dissertation §3.10): a successor that has everything keeps having everything.
 */
export class Leader {
  readonly role = 'leader';
  readonly leader: MemberId;
  readonly #member: Member;
  readonly #followers: Map<MemberId, Progress>;
  readonly #reads: ReadQueue;
  readonly #uncommitted: ByteWindow;
  /** The no-op that starts its term. */
  readonly #firstIndex: LogIndex;
  /** Since it was elected. */
  #ticks = 0;
  #ticksSinceHeartbeat = 0;
  #transfer: { readonly to: MemberId; readonly endsAtTick: number } | undefined;

  constructor(member: Member) {
    const { id, voters, peers, log, limits } = member;
    this.leader = id;
    this.#member = member;
    this.#firstIndex = (log.lastIndex + 1) as LogIndex;
    const progress = (): Progress => new Progress(member.matchedByAll, this.#firstIndex, limits.maxInflightAppends, this.#ticks);
    this.#followers = new Map(peers.map((peer) => [peer, progress()]));
    this.#reads = new ReadQueue(id, voters);
    this.#uncommitted = new ByteWindow(limits.maxUncommittedBytes);
    this.#append('noop', [EMPTY]);
    this.#beat();
  }

  /** How far each follower's log is known to match. */
  get match(): ReadonlyMap<MemberId, LogIndex> {
    return new Map([...this.#followers].map(([id, progress]) => [id, progress.match]));
  }

  tick(): void {
    this.#ticks++;
    if (this.#transfer !== undefined && this.#ticks >= this.#transfer.endsAtTick) this.#transfer = undefined;
    if (++this.#ticksSinceHeartbeat < this.#member.limits.heartbeatTicks) return;
    this.#ticksSinceHeartbeat = 0;
    this.#beat();
    for (const progress of this.#followers.values()) progress.heartbeatSent();
    this.#handOverWhenReady(); // The last time may have been lost.
  }

  /**
   * Whether a majority has answered within the last election timeout (check-quorum, dissertation §6.2). If not, there may be
   * another leader already, and in any case there is nothing that this one can do for its clients.
   */
  get hasQuorum(): boolean {
    const heard = [this.#ticks];
    for (const progress of this.#followers.values()) heard.push(progress.heardAtTick);
    return this.#ticks - reachedByMajority(heard) < this.#member.limits.electionTicks;
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
    if (this.#progressOf(to).match === log.lastIndex) outbox.send({ kind: 'timeout-now', from, to, term });
  }

  /** Who would take over soonest: of those that answered within the last election timeout, the one with the most on its disk. */
  get successor(): MemberId | undefined {
    let best: MemberId | undefined;
    let bestMatch = -1;
    for (const [id, { match, heardAtTick }] of this.#followers) {
      if (match <= bestMatch || this.#ticks - heardAtTick >= this.#member.limits.electionTicks) continue;
      best = id;
      bestMatch = match;
    }
    return best;
  }

  step(message: Message): Rejection | undefined {
    switch (message.kind) {
      case 'append-entries-response':
        return this.#stepAppendResponse(message);
      case 'heartbeat-response':
        return this.#stepHeartbeatResponse(message);
      case 'propose':
        this.propose(message.commands); // Past the bound, or while it hands over, it is dropped, as a lost message would be.
        return undefined;
      case 'read-index':
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

  propose(commands: readonly Uint8Array[]): ProposeResult {
    if (this.#transfer !== undefined) return { outcome: 'transferring' };
    let bytes = 0;
    for (const command of commands) bytes += command.length;
    if (!this.#uncommitted.empty && bytes > this.#uncommitted.room) return { outcome: 'overloaded' };
    const lastIndex = this.#append('command', commands);
    this.#uncommitted.add(lastIndex, bytes);
    return { outcome: 'appended', term: this.#member.term, lastIndex };
  }

  readIndex(context: number): ReadIndexResult {
    this.#reads.add({ from: this.#member.id, context });
    return 'asked';
  }

  #append(kind: EntryKind, data: readonly Uint8Array[]): LogIndex {
    assert(this.#transfer === undefined, 'leader 4: while it hands over, it appends nothing');
    const { log, term } = this.#member;
    const first = log.lastIndex + 1;
    log.append(data.map((bytes, i): Entry => ({ index: (first + i) as LogIndex, term, kind, data: bytes })));
    return log.lastIndex;
  }

  /** A write of this member is durable: its own match moved on. */
  persisted(): void {
    this.#advance();
  }

  #stepAppendResponse(response: AppendEntriesResponse): Rejection | undefined {
    const { log } = this.#member;
    const { from, matchIndex, conflictIndex } = response;
    const progress = this.#progressOf(from);
    if (matchIndex > log.lastIndex) return 'beyond-log';
    progress.heard(this.#ticks);
    if (response.success) {
      progress.accepted(matchIndex);
      this.#advance();
      if (from === this.#transfer?.to) this.#handOverWhenReady();
    } else if (progress.isNews(matchIndex)) {
      // Nor can the logs agree where this leader's term is later than the follower's. It never goes below what is known to match.
      const high = Math.max(progress.match, Math.min(conflictIndex, matchIndex - 1)) as LogIndex;
      progress.refused(log.lastIndexWithTermUpTo(response.conflictTerm, progress.match, high));
    }
    return undefined;
  }

  #stepHeartbeatResponse(response: HeartbeatResponse): Rejection | undefined {
    if (response.readRound > this.#reads.round) return 'beyond-log';
    const progress = this.#progressOf(response.from);
    progress.heard(this.#ticks);
    progress.heartbeatAnswered(this.#member.log.lastIndex);
    this.#reads.answered(response.from, response.readRound);
    this.#answerReads();
    return undefined;
  }

  #progressOf(follower: MemberId): Progress {
    return defined(this.#followers.get(follower), `the progress of member ${follower}`);
  }

  /** Looks anew at how far everybody is. */
  #advance(): void {
    const { log, term } = this.#member;
    assert(log.lastTerm === term, 'leader 1: it only appends, so its log ends in its own term');
    const match = [log.stableIndex as number];
    for (const progress of this.#followers.values()) match.push(progress.match);
    const reached = reachedByMajority(match) as LogIndex;
    if (reached > log.commit && log.termAt(reached) === term) {
      log.commitTo(reached);
      this.#uncommitted.release(reached);
    }
    this.#member.learnMatchedByAll(Math.min(...match) as LogIndex);
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
      this.#reads.beginRound(this.#member.log.commit);
      this.#beat();
      this.#answerReads();
    }
    const { lastIndex, commit } = this.#member.log;
    for (const [follower, progress] of this.#followers) if (progress.wantsAppend(lastIndex, commit)) this.#sendAppend(follower, progress);
  }

  get #readsMayBegin(): boolean {
    return this.#reads.hasGathered && this.#member.log.commit >= this.#firstIndex;
  }

  #sendAppend(to: MemberId, progress: Progress): void {
    const { id: from, term, log, limits, outbox, matchedByAll } = this.#member;
    const prevLogIndex = (progress.next - 1) as LogIndex;
    const prevLogTerm = defined(log.termAt(prevLogIndex), `entry ${prevLogIndex}, which a follower still needs,`);
    const entries = progress.hasRoom ? log.entriesFrom(progress.next, limits.maxAppendBytes) : [];
    outbox.send({ kind: 'append-entries', from, to, term, prevLogIndex, prevLogTerm, entries, leaderCommit: log.commit, matchedByAll });
    progress.sent((prevLogIndex + entries.length) as LogIndex, log.commit);
  }

  #beat(): void {
    const { id: from, term, log, outbox, matchedByAll } = this.#member;
    for (const [to, { match }] of this.#followers) {
      const leaderCommit = match < log.commit ? match : log.commit;
      outbox.send({ kind: 'heartbeat', from, to, term, leaderCommit, readRound: this.#reads.round, matchedByAll });
    }
  }

  #answerReads(): void {
    const { id, term, outbox } = this.#member;
    for (const { readIndex, reads } of this.#reads.takeConfirmed()) {
      for (const { from, context } of reads) {
        if (from === id) outbox.answerRead({ context, index: readIndex });
        else outbox.send({ kind: 'read-index-response', from: id, to: from, term, context, readIndex });
      }
    }
  }
}
