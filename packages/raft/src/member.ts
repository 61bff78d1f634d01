// What a member is in every role: who it is, its term and vote, its log, its patience, and what it has to say.
import { assert, term as checkedTerm } from '@distrokv/base';
import type { LogIndex, MemberId, Random, Term } from '@distrokv/base';
import { NO_CONFIGURATION, peersIn, votesIn } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { Configurations } from './configurations.ts';
import { RaftError } from './errors.ts';
import { RaftLog } from './log.ts';
import type { Entry } from './messages.ts';
import { limitsOf } from './options.ts';
import type { Limits } from './options.ts';
import { Outbox } from './outbox.ts';
import type { HardState, RaftOptions } from './types.ts';

/** How many bytes of the log are read at a time to find the configurations in it. */
const SCAN_BYTES = 1024 * 1024;

/**
 * Invariants:
 * 1. The term never decreases (Raft §5.1), and is at least that of every entry in the log.
 * 2. Within a term the vote changes at most once, from nobody to somebody (Raft §5.2).
 * 3. The configuration in force is the latest one in the log (Raft §6).
 */
export class Member {
  readonly id: MemberId;
  readonly limits: Limits;
  readonly log: RaftLog;
  readonly outbox: Outbox = new Outbox();
  readonly #configurations: Configurations;
  #peers: readonly MemberId[] = [];
  #voters: readonly MemberId[] = [];
  #isVoter = false;
  /** The configuration that was handed out last. */
  #configurationSeen: Configuration;
  readonly #random: Random;
  #term: Term;
  #vote: MemberId | undefined;
  #written: HardState;
  /** The write that has it. */
  #writtenIn = 0;
  /** Counts from a random multiple of 2^20, so that hardly any other life of this process has used the same numbers. */
  #readContext: number;
  #ticks = 0;
  #ticksWaited = 0;
  #ticksSinceLeader = Infinity;
  /** Until then it helps nobody against the leader that it heard last, by the clock of `limits.lease`. */
  #quietUntilMs = -Infinity;
  #patienceTicks = 0;

  constructor(options: RaftOptions) {
    const { id, hardState, storage, applied, random } = options;
    this.limits = limitsOf(options);
    this.id = id;
    this.#random = random;
    this.log = new RaftLog(storage, hardState.commit, applied, this.limits.maxApplyBytes);
    if (hardState.term < this.log.lastTerm) {
      throw new RaftError('corrupt-state', `the term is ${hardState.term}, but the log ends in term ${this.log.lastTerm}`);
    }
    this.#term = hardState.term;
    this.#vote = hardState.vote;
    this.#written = hardState;
    const configurationIndex = options.configurationIndex ?? (0 as LogIndex);
    if (configurationIndex > applied)
      throw new RaftError('corrupt-state', `the configuration is of entry ${configurationIndex}, but only ${applied} is applied`);
    this.#configurations = new Configurations(configurationIndex, options.configuration);
    this.#configurationSeen = NO_CONFIGURATION;
    this.#findConfigurations(applied);
    this.#readContext = random.uint32() * 0x10_0000;
    this.resetPatience();
    this.#keepQuiet(); // It may have promised so just before it died.
  }

  #findConfigurations(applied: LogIndex): void {
    for (let next = (applied + 1) as LogIndex; next <= this.log.lastIndex;) {
      const page = this.log.entriesFrom(next, SCAN_BYTES);
      this.#configurations.appended(page);
      next = (next + page.length) as LogIndex;
    }
    this.#configurations.committed(this.log.commit);
    this.#configurationChanged();
  }

  #configurationChanged(): void {
    this.#peers = peersIn(this.configuration, this.id);
    this.#isVoter = votesIn(this.configuration, this.id);
    this.#voters = this.#peers.filter((peer) => votesIn(this.configuration, peer));
  }

  get configuration(): Configuration {
    return this.#configurations.inForce;
  }

  /** Of the entry that brought it. */
  get configurationIndex(): LogIndex {
    return this.#configurations.index;
  }

  /** It votes in the configuration in force. */
  get isVoter(): boolean {
    return this.#isVoter;
  }

  /**
   * It runs for leader: it votes, or did before a change that may not be committed yet. Who is on the way out may be the only one with
   * the entry that says so, and then nobody else can be elected to commit it (dissertation §4.2.2). It does not count itself.
   */
  get mayBeNeeded(): boolean {
    return this.#configurations.possible.some((configuration) => votesIn(configuration, this.id));
  }

  /** It knows of no cluster: it needs a snapshot before it can take entries, which rest on a configuration. */
  get isBlank(): boolean {
    return this.configuration.voters.length === 0;
  }

  /** All other members, ascending, so that the same input gives the same output everywhere. */
  get peers(): readonly MemberId[] {
    return this.#peers;
  }

  /** Those of them that vote. */
  get votingPeers(): readonly MemberId[] {
    return this.#voters;
  }

  /** A configuration that came into force since the last call. */
  takeConfiguration(): Configuration | undefined {
    if (!this.hasNewConfiguration) return undefined;
    this.#configurationSeen = this.configuration;
    return this.#configurationSeen;
  }

  get hasNewConfiguration(): boolean {
    return this.#configurationSeen !== this.configuration;
  }

  /** Appends entries (one or more, contiguous); they replace what the log has from the first one's index on. */
  append(entries: readonly Entry[]): void {
    this.log.append(entries);
    if (this.#configurations.appended(entries)) this.#configurationChanged();
  }

  commitTo(index: LogIndex): void {
    if (this.log.commitTo(index)) this.#configurations.committed(index);
  }

  get term(): Term {
    return this.#term;
  }

  get vote(): MemberId | undefined {
    return this.#vote;
  }

  /** Goes on to a later term, in which it has voted for nobody yet. */
  enterTerm(term: Term): void {
    assert(term > this.#term, `member 1: the term goes from ${this.#term} up, not to ${term}`);
    this.#term = checkedTerm(term);
    this.#vote = undefined;
  }

  voteFor(candidate: MemberId): void {
    assert(this.#vote === undefined || this.#vote === candidate, `member 2: one vote in term ${this.#term}`);
    this.#vote = candidate;
  }

  /** Whether term or vote are not handed out to be written yet. */
  get hardStateChanged(): boolean {
    return this.#term !== this.#written.term || this.#vote !== this.#written.vote;
  }

  /**
   * The hard state to write, if there is a reason: a new term or vote, or entries which the commit mark can go along with.
   * Its commit covers only what is durable already, so that no order of bytes on the disk can make it point past the log.
   */
  takeHardState(withEntries: boolean): HardState | undefined {
    const { commit: known, stableIndex } = this.log;
    const commit = known < stableIndex ? known : stableIndex;
    if (!this.hardStateChanged && !(withEntries && commit > this.#written.commit)) return undefined;
    this.#written = { term: this.#term, vote: this.#vote, commit };
    return this.#written;
  }

  /** What is in no write yet, as a write of its own; with the hard state that was just taken, if there was one. */
  beginWrite(hardState: HardState | undefined): { readonly id: number; readonly entries: readonly Entry[] } {
    const write = this.log.beginWrite(this.#ticks);
    if (hardState !== undefined) this.#writtenIn = write.id;
    return write;
  }

  /** Whether term and vote are durable, now that the write `id` is. */
  votedDurably(id: number): boolean {
    return !this.hardStateChanged && id >= this.#writtenIn;
  }

  /**
   * Whether the disk has been at a write for an election timeout. Such a member leads nobody: it would keep its followers quiet
   * and its clients waiting (hashicorp/raft #503, #614). Where nobody else votes, nobody else could lead.
   */
  get diskHangs(): boolean {
    const { writingSinceTick } = this.log;
    return this.#voters.length > 0 && writingSinceTick !== undefined && this.#ticks - writingSinceTick >= this.limits.electionTicks;
  }

  /** One tick of the driver's clock passed. */
  tick(): void {
    this.#ticks++;
  }

  /** Starts to wait for a leader anew, for a time drawn at random so that members seldom lose patience together (Raft §5.2). */
  resetPatience(): void {
    this.#ticksWaited = 0;
    this.#patienceTicks = this.limits.electionTicks + this.#random.below(this.limits.electionTicks);
  }

  /**
   * Starts to wait for less than an election: what was refused because a leader had been heard of a moment ago may soon be
   * granted, and asking costs nobody anything. At random, too, so that two that ask seldom go on asking at the same times.
   */
  shortenPatience(): void {
    this.#ticksWaited = 0;
    this.#patienceTicks = 1 + this.#random.below(Math.ceil(this.limits.electionTicks / 4));
  }

  /** One tick without a leader's word; true when patience is at its end. */
  wait(): boolean {
    this.#ticksSinceLeader++;
    return ++this.#ticksWaited >= this.#patienceTicks;
  }

  /** The leader of this term spoke. */
  heardLeader(): void {
    this.#ticksSinceLeader = 0;
    this.resetPatience();
    this.#keepQuiet();
  }

  #keepQuiet(): void {
    const { lease } = this.limits;
    if (lease !== undefined) this.#quietUntilMs = lease.now() + lease.quietMs;
  }

  /** Whether a lease may rest on its helping nobody (dissertation §6.4.1), of whichever leader, known still or forgotten. */
  get mustKeepQuiet(): boolean {
    const { lease } = this.limits;
    return lease !== undefined && lease.now() < this.#quietUntilMs;
  }

  /**
   * Whether a leader spoke within the last election timeout (dissertation §4.2.3): whoever runs against it is not helped. One
   * tick less: of the same silence, two members whose ticks fall at different moments count numbers that differ by one.
   */
  get heardLeaderLately(): boolean {
    return this.#ticksSinceLeader < this.limits.electionTicks - 1;
  }

  /** A fresh number for a read that goes to the leader. */
  nextReadContext(): number {
    return ++this.#readContext;
  }
}
