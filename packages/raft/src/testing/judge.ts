// The judge of a test cluster: it sees what the members hand out and what is on their disks, never their insides, and
// throws when one of Raft's promises (figure 3 of the paper, and linearizable reads) is broken.
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { decodeConfiguration } from '../configuration-codec.ts';
import type { Configuration } from '../configuration.ts';
import type { Entry, Message } from '../messages.ts';
import type { Ready, RaftStatus } from '../types.ts';
import { overwrite } from './disk.ts';
import type { DiskState } from './disk.ts';

/** What the judge knows of one member. */
export interface Watched {
  readonly id: MemberId;
  readonly disk: DiskState;
  /** Its log as its Readys described it, durable or not. */
  view: Entry[];
  /** The last index handed out to be applied in this life. */
  handedOut: number;
  commitSeen: number;
  /** Which of its lives this is; a restart begins another. */
  life: number;
  /** The term it has led since the last Ready, if it does. */
  leads: Term | undefined;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

const sameEntry = (a: Entry | undefined, b: Entry): boolean =>
  a !== undefined && a.term === b.term && a.index === b.index && a.kind === b.kind && a.data === b.data;

/** By counting, not by the code under test. */
function holdsQuorum({ voters, outgoing }: Configuration, ids: ReadonlySet<MemberId>): boolean {
  const holdsMajority = (list: readonly MemberId[]): boolean => 2 * list.filter((id) => ids.has(id)).length > list.length;
  return holdsMajority(voters) && (outgoing.length === 0 || holdsMajority(outgoing));
}

export class Judge {
  readonly #members: readonly Watched[];
  readonly #initial: Configuration;
  readonly #leaders: Map<Term, string> = new Map();
  readonly #votes: Map<string, MemberId> = new Map();
  readonly #entries: Map<string, { readonly entry: Entry; readonly termBefore: Term }> = new Map();
  /** What was committed by anybody, ever; position i holds index i + 1. */
  readonly committed: Entry[] = [];

  constructor(members: readonly Watched[], initial: Configuration) {
    this.#members = members;
    this.#initial = initial;
  }

  /** A member handed out a Ready; `status` is as of then. */
  ready(member: Watched, ready: Ready, status: RaftStatus): void {
    this.#checkLog(member, ready, status);
    this.#checkCommit(member, status);
    this.#checkLeader(member, status);
    this.#checkApply(member, ready);
  }

  /** Log matching, by induction: an index and a term name one entry, which always follows the same entry. Leader append-only. */
  #checkLog(member: Watched, { entries }: Ready, status: RaftStatus): void {
    const first = entries[0];
    if (first !== undefined) {
      require(first.index <= member.view.length + 1, `${member.id} leaves a gap before ${first.index}`);
      const appendOnly = member.leads === undefined || member.leads !== status.term || first.index === member.view.length + 1;
      require(appendOnly, `leader append-only: ${member.id} replaces entry ${first.index} in its own term`);
    }
    overwrite(member.view, entries);
    for (const entry of entries) {
      const termBefore = (member.view[entry.index - 2]?.term ?? 0) as Term;
      const known = this.#entries.get(`${entry.index}/${entry.term}`);
      if (known === undefined) this.#entries.set(`${entry.index}/${entry.term}`, { entry, termBefore });
      else
        require(sameEntry(known.entry, entry) &&
          known.termBefore === termBefore, `log matching: entry ${entry.index} of term ${entry.term} differs`);
    }
  }

  /** What is committed is durable on a quorum, and is the same for everybody. */
  #checkCommit(member: Watched, { commit }: RaftStatus): void {
    require(commit <= member.view.length, `${member.id} commits ${commit} beyond its log`);
    for (let i = member.commitSeen; i < commit; i++) {
      const entry = member.view[i] as Entry;
      if (i === this.committed.length) {
        const copies = new Set(this.#members.filter((other) => sameEntry(other.disk.log[i], entry)).map(({ id }) => id));
        const enough = this.#configurationsFrom(member.view, i + 1).some((configuration) => holdsQuorum(configuration, copies));
        require(enough, `entry ${i + 1} is committed, but durable on members ${[...copies].join()} only`);
        this.committed.push(entry);
      }
      require(sameEntry(this.committed[i], entry), `state machine safety: ${member.id} commits another entry ${i + 1}`);
    }
    member.commitSeen = commit;
  }

  /** The configuration as of entry `index` of a log, and those that follow in it: by one of them the entry was committed. */
  #configurationsFrom(log: readonly Entry[], index: number): Configuration[] {
    let found = [this.#initial];
    for (const entry of log) {
      const configuration = entry.kind === 'config' ? decodeConfiguration(entry.data) : undefined;
      if (configuration !== undefined) found = entry.index <= index ? [configuration] : [...found, configuration];
    }
    return found;
  }

  /** Election safety: one leader a term. Leader completeness: it has everything committed in earlier terms. */
  #checkLeader(member: Watched, { role, term }: RaftStatus): void {
    const led = member.leads;
    member.leads = role === 'leader' ? term : undefined;
    if (role !== 'leader' || led === term) return;
    const name = `${member.id}, life ${member.life}`;
    require((this.#leaders.get(term) ?? name) === name, `election safety: ${name} and ${this.#leaders.get(term)} lead term ${term}`);
    this.#leaders.set(term, name);
    for (const entry of this.committed) {
      require(sameEntry(member.view[entry.index - 1], entry), `leader completeness: ${name} lacks entry ${entry.index} in term ${term}`);
    }
  }

  /** Applied once a life, in order, durable here, and the same everywhere. */
  #checkApply(member: Watched, { committed }: Ready): void {
    for (const entry of committed) {
      require(entry.index === member.handedOut + 1, `${member.id} hands out ${entry.index} after ${member.handedOut}`);
      require(sameEntry(this.committed[entry.index - 1], entry), `state machine safety: ${member.id} applies another entry ${entry.index}`);
      require(sameEntry(member.disk.log[entry.index - 1], entry), `${member.id} applies entry ${entry.index}, which is not on its disk`);
      member.handedOut = entry.index;
    }
  }

  /** A message left its sender. One vote a term, over all lives; asking for votes is voting for oneself. */
  sent(message: Message): void {
    if (message.kind !== 'request-vote' && !(message.kind === 'request-vote-response' && message.granted)) return;
    const voted = message.kind === 'request-vote' ? message.from : message.to;
    const before = this.#votes.get(`${message.from}/${message.term}`);
    require(before === undefined || before === voted, `${message.from} votes for ${before} and ${voted} in term ${message.term}`);
    this.#votes.set(`${message.from}/${message.term}`, voted);
  }

  /** A read that was asked when `committedThen` entries were committed got its answer. */
  read(reader: MemberId, committedThen: number, readIndex: LogIndex): void {
    require(readIndex >= committedThen, `stale read: ${reader} is told ${readIndex}, but ${committedThen} was committed when it asked`);
    require(readIndex <= this.committed.length, `${reader} is told to read at ${readIndex}, which nobody has committed`);
  }
}
