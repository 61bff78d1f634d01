// A cluster in one process, without time: whoever tests it says which message arrives, whose disk syncs and who ticks.
// The random tests and the golden scripts both drive it; the judge looks on.
import { defined, seededRandom, utf8 } from '@distrokv/base';
import type { LogIndex, MemberId, Random } from '@distrokv/base';
import { decodeConfiguration } from '../configuration-codec.ts';
import { configurationOf, NO_CONFIGURATION } from '../configuration.ts';
import type { Configuration } from '../configuration.ts';
import type { Entry, Message } from '../messages.ts';
import { Raft } from '../raft.ts';
import type { ConfigurationResult, ProposeResult, RaftOptions, ReadState, Ready } from '../types.ts';
import { Disk } from './disk.ts';
import { Judge } from './judge.ts';
import type { Watched } from './judge.ts';

export interface ClusterOptions {
  readonly size: number;
  /** Members beside them that know of no cluster yet (default 0). */
  readonly spares?: number;
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
  /** It has never had a configuration. */
  isBlank: boolean;
  /** Reads asked in this life: how much was committed then. */
  readonly reads: Map<number, number> = new Map();
  readonly answers: ReadState[] = [];

  constructor(id: MemberId, showsEarly: boolean, isBlank: boolean) {
    this.id = id;
    this.isBlank = isBlank;
    this.ioDisk = new Disk(showsEarly);
  }

  get disk(): Disk['durable'] {
    return this.ioDisk.durable;
  }

  get up(): Raft {
    return defined(this.raft, `running member ${this.id}`);
  }
}

/** A snapshot that a leader asked its driver to send. */
export interface TestSnapshot {
  readonly from: MemberId;
  readonly to: MemberId;
  /** It has everything up to here. */
  readonly index: number;
}

export class Cluster {
  readonly nodes: readonly TestNode[];
  readonly judge: Judge;
  /** Messages under way, in the order they were sent. */
  readonly network: Message[] = [];
  /** Snapshots under way. */
  readonly snapshots: TestSnapshot[] = [];
  readonly initial: Configuration;
  /** Links that carry nothing, by direction: "from>to". */
  readonly cut: Set<string> = new Set();
  readonly #options: ClusterOptions;
  #contexts = 0;
  #commands = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { size, spares = 0, showsEarly = false } = options;
    this.nodes = Array.from({ length: size + spares }, (_, i) => new TestNode(BigInt(i + 1) as MemberId, showsEarly, i >= size));
    this.initial = configurationOf(this.nodes.slice(0, size).map(({ id }) => id));
    this.judge = new Judge(this.nodes, this.initial);
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
      ...this.configurationAt(node, node.applied),
      hardState: disk.hardState,
      storage: ioDisk.storage,
      applied: node.applied as LogIndex,
      random: seededRandom(this.#options.random.uint32()),
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
    });
  }

  /** What the driver's store says after applying everything up to `index`. */
  configurationAt(node: TestNode, index: number): { configuration: Configuration; configurationIndex: LogIndex } {
    const found = node.disk.log.findLast((entry) => entry.kind === 'config' && entry.index <= index);
    const begun = node.isBlank ? NO_CONFIGURATION : this.initial;
    const configuration = found === undefined ? begun : defined(decodeConfiguration(found.data), 'a configuration');
    return { configuration, configurationIndex: found?.index ?? (0 as LogIndex) };
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
      for (const to of ready.snapshots) this.#snapshot(node, to);
      this.#options.onReady?.(node, ready);
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.judge.sent(message);
    this.network.push(...messages);
  }

  #snapshot({ id: from, applied: index }: TestNode, to: MemberId): void {
    if (!this.snapshots.some((under) => under.from === from && under.to === to)) this.snapshots.push({ from, to, index });
  }

  /** A snapshot arrives, or gets lost on the way. */
  deliverSnapshot(snapshot: TestSnapshot, lost = false): void {
    this.snapshots.splice(this.snapshots.indexOf(snapshot), 1);
    const { from, to, index } = snapshot;
    const arrives = !lost && this.node(to).raft !== undefined && index > 0 && !this.cut.has(`${from}>${to}`);
    if (arrives) this.#install(this.node(to), this.judge.committed.slice(0, index));
    this.node(from).raft?.snapshotSent(to, arrives ? (index as LogIndex) : undefined);
  }

  /** As a driver does: it stops, puts the snapshot in the place of log and state, and starts again. */
  #install(node: TestNode, log: readonly Entry[]): void {
    const { index, term } = log.at(-1) as Entry;
    if (!node.up.needsSnapshot(index, term)) return;
    if (node.ioDisk.pending > 0) node.ioDisk.sync(node.ioDisk.pending);
    node.toApply.length = 0;
    node.reads.clear();
    node.ioDisk.install(log);
    node.isBlank = false;
    node.appliedDurably = index;
    this.start(node);
  }

  /** Proposes a configuration, from the one in force at `node` on. */
  configure(
    node: TestNode,
    voters: readonly number[],
    learners: readonly number[] = [],
    joining: readonly number[] = [],
  ): ConfigurationResult {
    const ids = (list: readonly number[]): MemberId[] => list.map((id) => BigInt(id) as MemberId);
    const target = configurationOf(ids(voters), ids(learners), new Map(), ids(joining));
    return node.up.proposeConfiguration(node.up.status().configurationIndex, target);
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

  /** The state machine's state so far becomes durable, and the log drops all of it but the last `keep` entries. */
  compact(node: TestNode, keep = 0): void {
    node.appliedDurably = node.applied;
    node.ioDisk.storage.compact(Math.max(0, node.applied - keep) as LogIndex);
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
