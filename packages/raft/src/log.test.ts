// The parts without a role: log and quorum against plain models, and what a start from a damaged disk says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError, seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Random, Term } from '@distrokv/base';
import { configurationOf } from './configuration.ts';
import { RaftError } from './errors.ts';
import { RaftLog } from './log.ts';
import { MemoryLog } from './memory-log.ts';
import type { Entry } from './messages.ts';
import { reachedByQuorum } from './quorum.ts';
import { overwrite } from './testing/disk.ts';
import { entry, Solo } from './testing/solo.ts';
import type { SoloOptions } from './testing/solo.ts';

const at = (n: number): LogIndex => n as LogIndex;

function sized(index: number, term: number, bytes: number): Entry {
  return { ...entry(index, term), data: new Uint8Array(bytes) };
}

/** The log under test beside a model: the whole log, what is durable, and the writes under way, all as plain arrays. */
class Model {
  readonly storage: MemoryLog = new MemoryLog();
  readonly log: RaftLog = new RaftLog(this.storage, at(0), at(0), 1000);
  readonly entries: Entry[] = [];
  readonly durable: Entry[] = [];
  readonly writes: { readonly id: number; readonly entries: readonly Entry[] }[] = [];
  term = 1;

  step(random: Random): void {
    switch (random.below(6)) {
      case 0:
        return this.#append(this.entries.length + 1, random);
      case 1:
        this.term++;
        return this.#append(random.between(this.log.commit + 1, this.entries.length + 1), random);
      case 2:
        if (this.log.hasUnwritten) this.writes.push(this.log.beginWrite(0));
        return;
      case 3:
        return this.#persist(random);
      case 4:
        this.log.commitTo(at(random.between(this.log.commit, this.entries.length)));
        return;
      default: {
        const last = this.log.takeCommitted().at(-1);
        if (last === undefined) return;
        this.log.appliedTo(last.index);
        this.storage.compact(at(random.between(0, last.index)));
      }
    }
  }

  #append(from: number, random: Random): void {
    const entries = Array.from({ length: random.between(1, 4) }, (_, i) => sized(from + i, this.term, random.below(20)));
    overwrite(this.entries, entries);
    this.log.append(entries);
  }

  #persist(random: Random): void {
    const done = this.writes.splice(0, random.below(this.writes.length + 1));
    for (const { entries } of done) {
      this.storage.append(entries);
      overwrite(this.durable, entries);
    }
    const last = done.at(-1);
    if (last !== undefined) this.log.persisted(last.id);
  }

  check(random: Random): void {
    const { log, entries, durable } = this;
    assert.equal(log.lastIndex, entries.length);
    for (let i = log.firstIndex; i <= entries.length; i++) assert.equal(log.termAt(at(i)), entries[i - 1]?.term);
    assert.equal(log.termAt(at(entries.length + 1)), undefined);
    for (let i = 1; i <= log.stableIndex; i++) assert.equal(durable[i - 1], entries[i - 1], `entry ${i} is said to be durable`);
    if (this.writes.length === 0 && !log.hasUnwritten) assert.equal(log.stableIndex, entries.length);
    const [from, maxBytes] = [random.between(log.firstIndex, entries.length + 1), random.below(60)];
    const page = log.entriesFrom(at(from), maxBytes);
    assert.deepEqual(page, entries.slice(from - 1, from - 1 + page.length));
    const bytes = (list: readonly Entry[]): number => list.reduce((sum, { data }) => sum + data.length, 0);
    assert.ok(page.length <= 1 || bytes(page) <= maxBytes);
    const next = entries[from - 1 + page.length];
    if (next !== undefined) assert.ok(page.length > 0 && bytes(page) + next.data.length > maxBytes, 'the page is as long as it may be');
  }
}

test('the log reads as a plain array would, whatever is written, replaced, durable, applied or compacted', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed);
    const model = new Model();
    try {
      for (let i = 0; i < 120; i++) {
        model.step(random);
        model.check(random);
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test('bisection finds the last index whose term is not too late', () => {
  const terms = [1, 1, 3, 3, 3, 6];
  const log = new RaftLog(new MemoryLog(terms.map((term, i) => entry(i + 1, term))), at(0), at(0), 1000);
  for (let term = 0; term <= 7; term++) {
    for (let low = 0; low <= 6; low++) {
      for (let high = low; high <= 6; high++) {
        let expected = low;
        for (let i = low; i <= high; i++) if (i === 0 || (terms[i - 1] as number) <= term) expected = i;
        assert.equal(log.lastIndexWithTermUpTo(term as Term, at(low), at(high)), expected, `term ${term} in [${low}, ${high}]`);
      }
    }
  }
});

test('a start from a disk that lost or changed something durable says what contradicts what', () => {
  const cases: readonly (readonly [SoloOptions, RegExp])[] = [
    [{ term: 1, log: [1], commit: 2 }, /entries up to 2 were committed, but the log ends at 1/],
    [{ term: 1, log: [1], applied: 2 }, /entries up to 2 were applied, but the log ends at 1/],
    [{ term: 1, log: [1, 2] }, /the term is 1, but the log ends in term 2/],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => new Solo(options),
      (error) => error instanceof RaftError && error.code === 'corrupt-state' && message.test(error.message),
    );
  }
  const compacted = new MemoryLog([entry(1, 1), entry(2, 1)]);
  compacted.compact(at(2));
  assert.throws(() => new RaftLog(compacted, at(0), at(1), 1000), /the log begins at 3, but only 1 is applied/);
});

test('options that make no sense are refused', () => {
  for (const options of [{ id: 0 }, { learners: [2] }, { limits: { maxAppendBytes: 0 } }, { limits: { maxInflightAppends: 1.5 } }]) {
    assert.throws(
      () => new Solo(options),
      (error) => error instanceof RaftError && error.code === 'bad-options',
    );
  }
});

test('a driver that breaks its side of the contract is stopped', () => {
  const unshown = new Solo({ size: 1 });
  unshown.raft.campaign();
  unshown.persist(unshown.raft.ready());
  const { writeId } = unshown.raft.ready();
  assert.throws(() => unshown.raft.persisted(writeId), AssertionError, 'a write that the storage does not show');
  assert.throws(() => unshown.raft.persisted(writeId + 1), AssertionError, 'a write that was never asked for');
  assert.throws(() => unshown.raft.applied(at(1)), AssertionError, 'an entry that was never handed out');
  assert.throws(() => unshown.raft.propose([]), AssertionError, 'a proposal of nothing');
});

test('restarted, a member hands out again what its state machine lacks, and nothing else', () => {
  const solo = new Solo({ term: 1, log: [1, 1, 1], commit: 3, applied: 1 });
  assert.deepEqual(
    solo.raft.ready().committed.map(({ index }) => index),
    [2, 3],
  );
  assert.equal(new Solo({ term: 1, log: [1, 1, 1], commit: 0, applied: 2 }).status.commit, 2, 'what was applied was committed');
});

test('what a majority has reached is what at least half of the numbers, and one more, are no less than', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = seededRandom(seed);
    const numbers = Array.from({ length: random.between(1, 7) }, () => random.below(5));
    const of = (voter: MemberId): number => numbers[Number(voter) - 1] as number;
    const some = (): MemberId[] => numbers.map((_, i) => BigInt(i + 1) as MemberId).filter((id) => id === 1n || random.chance(0.6));
    const [voters, outgoing] = [some(), random.chance(0.5) ? some() : []];
    const most = (list: readonly MemberId[], n: number): boolean => list.filter((id) => of(id) >= n).length > list.length / 2;
    const enough = (n: number): boolean => most(voters, n) && (outgoing.length === 0 || most(outgoing, n));
    const expected = Math.max(...[0, 1, 2, 3, 4].filter(enough));
    const configuration = { ...configurationOf(voters), outgoing };
    assert.equal(reachedByQuorum(configuration, of), expected, `seed ${seed}: ${numbers.join(' ')}`);
  }
});
