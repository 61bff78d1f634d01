// Bugs to plant: one line each, in the compiled code of the real packages. The simulator that does not find one of them is not worth its name;
// the test that plants them fails when the code has moved on and a line is not there any more.
import { plantedApiBugs } from './planted-api-bugs.ts';

export interface Mutation {
  /** Below packages/. */
  readonly file: string;
  /** Occurs once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug extends Mutation {
  /** What goes wrong, in a few words. */
  readonly name: string;
  /** A second line of defence that is taken away with it, or a bound made small enough to be met within seconds. */
  readonly also?: readonly Mutation[];
}

/**
 * Appends of one entry each, as they are where entries are large. A follower whose log diverged is otherwise sent all that it lacks at once,
 * which replaces its tail before anything can be believed of it.
 */
const ONE_ENTRY_AN_APPEND: Mutation = {
  file: 'raft/dist/leader.js',
  find: 'log.entriesFrom(progress.next, limits.maxAppendBytes)',
  replace: 'log.entriesFrom(progress.next, 1)',
};

/**
 * A leader whose way back to where the logs agree is coarser than ours, as other leaders may be (Raft §5.3 leaves it open): it begins some
 * entries before. Ours lands on the very place, so that the first append which is taken always replaces what differs.
 */
const COARSE_BACK_OFF: Mutation = {
  file: 'raft/dist/leader.js',
  find: 'progress.refused(this.#whereLogsMayAgree(progress.match, Math.min(conflictIndex, matchIndex - 1), response.conflictTerm));',
  replace:
    'progress.refused(Math.max(progress.match, this.#whereLogsMayAgree(progress.match, Math.min(conflictIndex, matchIndex - 1), response.conflictTerm) - 3));',
};

/** A few keys are a long range. */
const ONE_KEY_A_STEP: Mutation = { file: 'mvcc/dist/steps.js', find: 'const WORK_PER_STEP = 256;', replace: 'const WORK_PER_STEP = 1;' };

export const plantedBugs: readonly PlantedBug[] = [
  // --- Raft: elections ---
  {
    name: 'votes for everybody who asks',
    file: 'raft/dist/election.js',
    find: 'const free = member.vote === request.from || (member.vote === undefined && leader === undefined);',
    replace: 'const free = true;',
  },
  {
    name: 'forgets its vote in a restart',
    file: 'raft/dist/member.js',
    find: 'this.#vote = hardState.vote;',
    replace: 'this.#vote = undefined;',
  },
  {
    name: 'does not write down a vote in a term that it knew',
    file: 'raft/dist/member.js',
    find: 'return this.#term !== this.#written.term || this.#vote !== this.#written.vote;',
    replace: 'return this.#term !== this.#written.term;',
  },
  {
    name: 'votes for a log that is behind its own',
    file: 'raft/dist/election.js',
    find: 'const granted = free && member.log.isCoveredBy(request.lastLogTerm, request.lastLogIndex);',
    replace: 'const granted = free;',
  },
  {
    name: 'compares logs by their length, not by their last term',
    file: 'raft/dist/log.js',
    find: 'return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);',
    replace: 'return lastIndex >= this.lastIndex;',
  },
  { name: 'answers a vote before it is on disk', file: 'raft/dist/outbox.js', find: 'return message.granted;', replace: 'return false;' },
  {
    name: 'takes half for a majority',
    file: 'raft/dist/quorum.js',
    find: 'return Math.floor(voters / 2) + 1;',
    replace: 'return Math.ceil(voters / 2);',
  },
  {
    name: 'leads on although nobody answers',
    file: 'raft/dist/leader.js',
    find: 'get hasQuorum() {',
    replace: 'get hasQuorum() {\n        return true;',
  },
  // --- Raft: the log ---
  {
    name: 'ignores the term of the entry before',
    file: 'raft/dist/follower.js',
    find: 'if (!compacted && termHere !== prevLogTerm) {',
    replace: 'if (!compacted && termHere === undefined) {',
  },
  {
    name: 'keeps entries that contradict the leader',
    file: 'raft/dist/follower.js',
    find: 'const isKnown = (entry) => entry.index < log.firstIndex || log.termAt(entry.index) === entry.term;',
    replace: 'const isKnown = (entry) => entry.index < log.firstIndex || log.termAt(entry.index) !== undefined;',
  },
  {
    name: 'says that its whole log matches',
    file: 'raft/dist/follower.js',
    find: 'this.#answer(append, true, matched > log.commit ? matched : log.commit, 0, 0);',
    replace: 'this.#answer(append, true, log.lastIndex, 0, 0);',
    also: [ONE_ENTRY_AN_APPEND, COARSE_BACK_OFF],
  },
  {
    name: 'commits entries that the leader did not vouch for',
    file: 'raft/dist/follower.js',
    find: 'append.leaderCommit < matched ? append.leaderCommit : matched',
    replace: 'Math.min(append.leaderCommit, log.lastIndex)',
    also: [ONE_ENTRY_AN_APPEND, COARSE_BACK_OFF],
  },
  {
    name: 'heartbeats commit beyond what a follower is known to have',
    file: 'raft/dist/leader.js',
    find: 'const leaderCommit = match < log.commit ? match : log.commit;',
    replace: 'const leaderCommit = log.commit;',
  },
  {
    name: 'answers an append before it is on disk',
    file: 'raft/dist/outbox.js',
    find: 'return message.success;',
    replace: 'return false;',
  },
  {
    name: 'a leader counts itself before its disk has it',
    file: 'raft/dist/leader.js',
    find: '? log.stableIndex :',
    replace: '? log.lastIndex :',
  },
  {
    name: 'a write that was overtaken counts as the one that replaced it',
    file: 'raft/dist/unstable.js',
    find: 'if (lastIndex < write.lastIndex)',
    replace: 'if (false)',
  },
  {
    name: 'an append that was lost is never sent again',
    file: 'raft/dist/progress.js',
    find: 'if (!this.#silent || this.#match >= lastIndex)',
    replace: 'if (true)',
  },
  // --- Raft: reads ---
  {
    name: 'serves reads without asking whether it still leads',
    file: 'raft/dist/read-queue.js',
    find: 'this.#rounds[count].number <= confirmed',
    replace: 'confirmed <= Infinity',
  },
  {
    name: 'serves reads before an entry of its term is committed',
    file: 'raft/dist/leader.js',
    find: 'return this.#reads.hasGathered && this.#member.log.commit >= this.#firstIndex;',
    replace: 'return this.#reads.hasGathered;',
  },
  {
    name: 'a lease counts from the answers, not from the sending',
    file: 'raft/dist/lease.js',
    find: 'this.#confirmedMs = first.sentMs;',
    replace: 'this.#confirmedMs = this.#times.now();',
  },
  {
    name: 'a leader that told another to take over keeps its lease',
    file: 'raft/dist/leader.js',
    find: 'this.#lease?.end();',
    replace: '',
  },
  // --- The Raft log on disk ---
  { name: 'does not sync the Raft log', file: 'server/dist/raft-log/raft-log.js', find: 'await this.#writer.sync();', replace: '' },
  {
    name: 'reports a write before its sync is over',
    file: 'server/dist/raft-log/raft-log.js',
    find: 'await this.#writer.sync();',
    replace: 'this.#writer.sync().catch(() => {});',
  },
  {
    name: 'takes a failed sync for a success',
    file: 'server/dist/raft-log/raft-log.js',
    find: 'await this.#writer.sync();',
    replace: 'await this.#writer.sync().catch(() => {});',
  },
  {
    name: 'does not find its vote and term again',
    file: 'server/dist/raft-log/image.js',
    find: 'this.#hardState = batch.hardState;',
    replace: ';',
  },
  {
    name: 'does not sync the directory of a new segment',
    file: 'server/dist/raft-log/recovery.js',
    find: 'await fs.rename(path + TEMPORARY, path);\n        await fs.syncDirectory(directory);',
    replace: 'await fs.rename(path + TEMPORARY, path);',
  },
  {
    name: 'reads entries that a later segment replaced',
    file: 'server/dist/raft-log/image.js',
    find: 'const end = Math.min(to, this.#hiddenFrom(at));',
    replace: 'const end = to;',
  },
  {
    name: 'drops entries that no table has yet',
    file: 'server/dist/member.js',
    find: 'const durable = await storage.store.durableIndex();',
    replace: 'const durable = storage.store.state.appliedIndex;',
  },
  // --- The driver ---
  {
    name: 'reads before the read index is applied',
    file: 'server/dist/replica/read-barrier.js',
    find: 'if (index <= this.#applied)',
    replace: 'if (true)',
  },
  {
    name: 'a read joins a round that began before it',
    file: 'server/dist/replica/read-barrier.js',
    find: 'this.#gathered.push({ resolve, reject, expiresMs })',
    replace: '(this.#round?.readers ?? this.#gathered).push({ resolve, reject, expiresMs })',
  },
  {
    name: 'reads without the read index',
    file: 'server/dist/replica/replica.js',
    find: 'const ready = this.#reads.wait();',
    replace: 'const ready = Promise.resolve();',
  },
  {
    name: 'hands a proposal out again while it may still happen',
    file: 'server/dist/replica/proposals.js',
    find: 'if (pending.term !== undefined && pending.term < term)',
    replace: 'if (pending.term !== undefined)',
  },
  {
    name: 'hands everything out again when there is a leader',
    file: 'server/dist/replica/proposals.js',
    find: 'if (pending.term === undefined)\n                this.#handOut(sequence, pending);',
    replace: 'this.#handOut(sequence, pending);',
  },
  {
    name: 'refuses for certain what may still happen',
    file: 'server/dist/replica/proposals.js',
    find: 'if (pending.term === undefined)\n                this.#reject(sequence, pending, error);',
    replace: 'this.#reject(sequence, pending, error);',
  },
  {
    name: 'takes a proposal of an earlier life for one of this',
    file: 'server/dist/replica/proposals.js',
    find: 'mark.session === this.#options.session && ',
    replace: '',
  },
  // --- The state machine ---
  {
    name: 'writes down one entry less than it has applied',
    file: 'mvcc/dist/state.js',
    find: 'const fields = [FORMAT, state.appliedIndex,',
    replace: 'const fields = [FORMAT, Math.max(0, state.appliedIndex - 1),',
  },
  {
    name: 'a command that changes nothing makes a revision',
    file: 'mvcc/dist/store.js',
    find: 'if (this.#writes.count > 0)\n            this.#state',
    replace: 'this.#state',
  },
  {
    name: 'a transaction does not see its own writes',
    file: 'mvcc/dist/command-writes.js',
    find: 'return this.#count > 0 ? this.#next : this.#before;',
    replace: 'return this.#before;',
  },
  {
    name: 'a guard looks at the store as it is, not at its value',
    file: 'mvcc/dist/txn.js',
    find: 'return order === 0;',
    replace: 'return true;',
  },
  {
    name: 'a range names a revision later than the one it was read at',
    file: 'mvcc/dist/reads.js',
    find: 'pb.RangeResponse.create({ header, ...result })',
    replace: 'pb.RangeResponse.create({ header: revisionHeader(this.#state.revision), ...result })',
    also: [ONE_KEY_A_STEP],
  },
  // --- The engine ---
  { name: 'does not sync tables and manifest', file: 'lsm/dist/fail-stop.js', find: 'await file.sync();', replace: '' },
  {
    name: 'does not sync directories',
    file: 'lsm/dist/fail-stop.js',
    find: 'await fs.syncDirectory(directory);',
    replace: '',
  },
  {
    name: 'does not sync an edit of the manifest',
    file: 'lsm/dist/manifest.js',
    find: 'await this.#log.sync();\n        this.state.apply(edit);',
    replace: 'this.state.apply(edit);',
  },
  {
    name: 'a merge drops every tombstone',
    file: 'lsm/dist/retention.js',
    find: 'return !entry.tombstone || this.#below.mayHold(keyBytes, keyStart, keyEnd);',
    replace: 'return !entry.tombstone;',
  },
  ...plantedApiBugs,
];
