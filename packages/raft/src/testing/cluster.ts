// A cluster in one process, without time: whoever tests it says which message arrives, whose disk syncs and who ticks.
// The random tests and the golden scripts both drive it; the judge looks on.
import { defined, seededRandom, utf8 } from '@distrokv/base';
import type { LogIndex, MemberId, Random } from '@distrokv/base';
import type { Message } from '../messages.ts';
import { Raft } from '../raft.ts';
import type { ProposeResult, RaftOptions, ReadState, Ready } from '../types.ts';
import { Disk } from './disk.ts';
import { Judge } from './judge.ts';
import type { Watched } from './judge.ts';

export interface ClusterOptions {
  readonly size: number;
  readonly random: Random;
  readonly showsEarly?: boolean;
  readonly limits?: Partial<Pick<RaftOptions, 'maxAppendBytes' | 'maxInflightAppends' | 'maxApplyBytes' | 'maxUncommittedBytes'>>;
  /** The terms of the entries that each member has on disk from the start, member 1 first. */
  readonly logs?: readonly (readonly number[])[];
  /** Sees every message that arrives, just before. */
  readonly onDeliver?: (message: Message) => void;
  /** Sees every Ready that has been taken. */
  readonly onReady?: (node: TestNode, ready: Ready) => void;
}

export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 2;

/** One member with its disk. `raft` is undefined while it is down. */
export class TestNode implements Watched {
  readonly id: MemberId;
  readonly ioDisk: Disk;
  raft: Raft | undefined;
  view: Watched['view'] = [];
  handedOut = 0;
  commitSeen = 0;
  life = 0;
  leads: Watched['leads'] = undefined;
  /** Applied to the state machine in memory, and what of it a crash leaves. */
  applied = 0;
  appliedDurably = 0;
  /** Handed out and not applied yet: the last index of each page. */
  readonly toApply: LogIndex[] = [];
  /** Reads asked in this life: how much was committed then. */
  readonly reads: Map<number, number> = new Map();
  readonly answers: ReadState[] = [];

  constructor(id: MemberId, showsEarly: boolean) {
    this.id = id;
    this.ioDisk = new Disk(showsEarly);
  }

  get disk(): Disk['durable'] {
    return this.ioDisk.durable;
  }

  get up(): Raft {
    return defined(this.raft, `running member ${this.id}`);
  }
}

export class Cluster {
  readonly nodes: readonly TestNode[];
  readonly judge: Judge;
  /** Messages under way, in the order they were sent. */
  readonly network: Message[] = [];
  /** Links that carry nothing, by direction: "from>to". */
  readonly cut: Set<string> = new Set();
  readonly #options: ClusterOptions;
  #contexts = 0;
  #commands = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.nodes = Array.from({ length: options.size }, (_, i) => new TestNode(BigInt(i + 1) as MemberId, options.showsEarly ?? false));
    this.judge = new Judge(this.nodes);
    for (const node of this.nodes) {
      node.ioDisk.preset(options.logs?.[Number(node.id) - 1] ?? []);
      this.start(node);
    }
  }

  node(id: MemberId | bigint | number): TestNode {
    return defined(this.nodes[Number(id) - 1], `member ${id}`);
  }

  leader(): TestNode | undefined {
    const leaders = this.nodes.filter((node) => node.raft?.status().role === 'leader');
    return leaders.sort((a, b) => b.up.status().term - a.up.status().term)[0];
  }

  /** Starts a member from what its disk has. */
  start(node: TestNode): void {
    const { disk, ioDisk } = node;
    node.life++;
    node.view = [...disk.log];
    node.applied = node.handedOut = node.appliedDurably;
    node.commitSeen = 0;
    node.leads = undefined;
    node.raft = new Raft({
      ...this.#options.limits,
      id: node.id,
      voters: this.nodes.map(({ id }) => id),
      hardState: disk.hardState,
      storage: ioDisk.storage,
      applied: node.applied as LogIndex,
      random: seededRandom(this.#options.random.uint32()),
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
    });
  }

  crash(node: TestNode): void {
    node.raft = undefined;
    node.toApply.length = 0;
    node.reads.clear();
    node.ioDisk.crash(this.#options.random);
  }

  /** Takes every Ready a member has: its messages are under way, its writes wait for `sync`. */
  drain(node: TestNode): void {
    const raft = node.up;
    while (raft.hasReady()) {
      const ready = raft.ready();
      this.judge.ready(node, ready, raft.status());
      this.#send(ready.messages);
      if (ready.writeId > 0) node.ioDisk.write(ready);
      const last = ready.committed.at(-1);
      if (last !== undefined) node.toApply.push(last.index);
      for (const state of ready.readStates) {
        this.judge.read(node.id, defined(node.reads.get(state.context), 'the question to an answer'), state.index);
        node.answers.push(state);
      }
      this.#options.onReady?.(node, ready);
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.judge.sent(message);
    this.network.push(...messages);
  }

  /** Syncs the `count` oldest writes of a member's disk. */
  sync(node: TestNode, count: number = node.ioDisk.pending): void {
    const { id, messages } = node.ioDisk.sync(count);
    this.#send(messages);
    node.up.persisted(id);
  }

  /** Applies the oldest page that was handed out. */
  apply(node: TestNode): void {
    const index = defined(node.toApply.shift(), 'a page to apply');
    node.applied = index;
    node.up.applied(index);
  }

  /** The state machine's state so far becomes durable, and the log drops what nobody needs any more. */
  compact(node: TestNode): void {
    node.appliedDurably = node.applied;
    node.ioDisk.storage.compact(Math.min(node.applied, node.up.status().matchedByAll) as LogIndex);
  }

  /** Proposes `count` commands, each unlike any other. */
  propose(node: TestNode, count = 1): ProposeResult {
    return node.up.propose(Array.from({ length: count }, () => utf8(`c${++this.#commands}`)));
  }

  read(node: TestNode): number {
    const context = ++this.#contexts;
    if (node.up.readIndex(context) === 'asked') node.reads.set(context, this.judge.committed.length);
    return context;
  }

  deliver(message: Message): void {
    const raft = this.nodes.find((node) => node.id === message.to)?.raft;
    if (raft === undefined || this.isCut(message)) return;
    this.#options.onDeliver?.(message);
    raft.step(message);
  }

  isCut({ from, to }: Message): boolean {
    return this.cut.has(`${from}>${to}`);
  }

  /** Cuts the link between two members, both ways. */
  cutLink(a: number | bigint, b: number | bigint): void {
    this.cut.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  /** Lets everything happen that needs no tick, with nothing lost: until no message is under way and no disk has work. */
  settle(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const node of this.nodes) {
        if (node.raft === undefined) continue;
        if (node.raft.hasReady()) this.drain(node);
        if (node.ioDisk.pending > 0) this.sync(node);
        while (node.toApply.length > 0) this.apply(node);
        busy ||= node.raft.hasReady() || node.ioDisk.pending > 0;
      }
      for (const message of this.network.splice(0)) this.deliver(message);
      busy ||= this.nodes.some((node) => node.raft?.hasReady() === true);
    }
  }

  /** Ticks every running member once and settles. */
  tickAll(): void {
    for (const node of this.nodes) node.raft?.tick();
    this.settle();
  }
}
