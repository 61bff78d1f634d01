// How many proposals a second the core alone carries: three members in one process, in memory, disks that are done at once.
// Run: node packages/raft/dist/testing/bench.js [batch size] [batches]
import { seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { configurationOf, MemoryLog, Raft } from '../index.ts';
import type { Message } from '../index.ts';

const [batchSize = 100, batches = 5000] = process.argv.slice(2).map(Number);
/** Entries that stay in the log for followers that are a little behind. */
const KEPT = 1000;
const voters = [1n, 2n, 3n] as MemberId[];
const command = new Uint8Array(100);

function member(id: MemberId): { raft: Raft; storage: MemoryLog } {
  const storage = new MemoryLog();
  const hardState = { term: 0 as Term, vote: undefined, commit: 0 as LogIndex };
  const options = {
    id,
    configuration: configurationOf(voters),
    hardState,
    storage,
    applied: 0 as LogIndex,
    random: seededRandom(Number(id)),
    electionTicks: 10,
    heartbeatTicks: 1,
  };
  return { raft: new Raft(options), storage };
}

const members = voters.map(member);
let messages = 0;

/** Takes all work of all members, again and again, until there is none. */
function settle(): void {
  for (let busy = true; busy;) {
    busy = false;
    for (const { raft, storage } of members) {
      while (raft.hasReady()) {
        busy = true;
        const ready = raft.ready();
        storage.append(ready.entries);
        ready.messages.forEach(deliver);
        ready.messagesAfterPersist.forEach(deliver);
        if (ready.writeId > 0) raft.persisted(ready.writeId);
        const last = ready.committed.at(-1);
        if (last !== undefined) raft.applied(last.index);
      }
    }
  }
}

/** As a driver does from time to time. */
function compact(): void {
  for (const { raft, storage } of members) {
    storage.compact(Math.max(0, raft.status().applied - KEPT) as LogIndex);
  }
}

function deliver(message: Message): void {
  messages++;
  members[Number(message.to) - 1]?.raft.step(message);
}

const leader = members[0]?.raft as Raft;
leader.campaign();
settle();
messages = 0;
const start = performance.now();
for (let i = 0; i < batches; i++) {
  leader.propose(Array.from({ length: batchSize }, () => command));
  settle();
  if (i % 100 > 0) continue;
  leader.tick();
  settle();
  compact();
}
const seconds = (performance.now() - start) / 1000;
const { commit } = leader.status();
const rate = Math.round((batches * batchSize) / seconds);
process.stdout.write(
  `${rate} proposals/s in batches of ${batchSize}; ${(messages / batches).toFixed(1)} messages a batch; commit ${commit}\n`,
);
