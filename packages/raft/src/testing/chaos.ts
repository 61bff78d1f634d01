// Random schedules: a cluster in which anything that may happen happens in any order, from a seed. First harm (messages
// lost, doubled, reordered, cut off; members crashed in the middle of writes; slow disks; slow drivers), then healing,
// after which the cluster must be alive.
import { seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Random } from '@distrokv/base';
import { decodeConfiguration } from '../configuration-codec.ts';
import { isJoint, NO_CONFIGURATION } from '../configuration.ts';
import type { Configuration } from '../configuration.ts';
import type { Message } from '../messages.ts';
import { isQuorum } from '../quorum.ts';
import { Cluster, ELECTION_TICKS } from './cluster.ts';
import type { TestNode, TestSnapshot } from './cluster.ts';
import { Violation } from './judge.ts';

export interface ChaosReport {
  readonly committed: number;
  readonly elections: number;
  readonly crashes: number;
  readonly reads: number;
  /** Configurations that were committed, and snapshots that were installed. */
  readonly configurations: number;
  readonly snapshots: number;
}

/** How a seed misbehaves: each draws its own mixture, so that rare combinations come up (swarm testing). */
interface Temper {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly laziness: number;
  /** Whether links that are cut keep their messages until they heal, long outdated by then, instead of losing them. */
  readonly clogging: boolean;
  readonly weights: readonly (readonly [Action, number])[];
}

type Action =
  | 'deliver'
  | 'tick'
  | 'sync'
  | 'apply'
  | 'propose'
  | 'read'
  | 'crash'
  | 'restart'
  | 'partition'
  | 'heal'
  | 'compact'
  | 'campaign'
  | 'transfer'
  | 'configure'
  | 'snapshot';

function drawTemper(random: Random): Temper {
  const pick = (...values: readonly number[]): number => values[random.below(values.length)] as number;
  return {
    loss: pick(0, 0, 0.02, 0.2),
    duplication: pick(0, 0.05),
    reordering: pick(0, 0, 0.1, 0.5),
    laziness: pick(0, 0.3, 0.8),
    clogging: random.chance(0.5),
    weights: [
      ['deliver', pick(50, 100)],
      ['tick', pick(5, 20, 40)],
      ['sync', pick(8, 40)],
      ['apply', pick(3, 20)],
      ['propose', pick(2, 10)],
      ['read', pick(1, 8)],
      ['crash', pick(0, 0.3, 1.5)],
      ['restart', 2],
      ['partition', pick(0, 0.3, 1.5)],
      ['heal', pick(0.1, 0.3, 1)],
      ['compact', pick(0, 1, 3)],
      ['campaign', pick(0, 0.2, 1)],
      ['transfer', pick(0, 0.3, 1.5)],
      ['configure', pick(0, 1, 4)],
      ['snapshot', pick(2, 20)],
    ],
  };
}

/** Members that know of no cluster at first, and may be added. */
const SPARES = 2;
/** Past so many messages under way, clogged links lose them after all. */
const MAX_CLOGGED = 500;

function bringsConfiguration(message: Message): boolean {
  if (message.kind === 'append-entries') return message.entries.some(({ kind }) => kind === 'config');
  return message.kind === 'propose-configuration';
}

class Chaos {
  readonly cluster: Cluster;
  readonly #random: Random;
  readonly #temper: Temper;
  crashes = 0;
  reads = 0;
  snapshots = 0;
  readonly terms: Set<number> = new Set();

  constructor(seed: number, size: number) {
    this.#random = seededRandom(seed);
    this.#temper = drawTemper(this.#random);
    this.cluster = new Cluster({
      size,
      spares: SPARES,
      random: this.#random,
      showsEarly: this.#random.chance(0.5),
      limits: {
        maxAppendBytes: 1 + this.#random.below(40),
        maxInflightAppends: 1 + this.#random.below(4),
        maxApplyBytes: 1 + this.#random.below(30),
      },
      onReady: (node, ready) => {
        this.reads += ready.readStates.length;
        if (ready.softState?.role === 'leader') this.terms.add(ready.softState.term);
        if (node.raft === undefined) throw new Violation('a member that is down hands out work');
      },
    });
  }

  run(events: number): void {
    const total = this.#temper.weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (let i = 0; i < events; i++) {
      let left = this.#random.float() * total;
      const action = this.#temper.weights.find(([, weight]) => (left -= weight) < 0)?.[0] ?? 'deliver';
      this.#act(action, this.#random.below(this.cluster.nodes.length) + 1);
    }
  }

  #act(action: Action, id: number): void {
    const node = this.cluster.node(id);
    switch (action) {
      case 'deliver':
        return this.#deliver();
      case 'partition':
        return this.#partition();
      case 'heal':
        return this.cluster.cut.clear();
      case 'snapshot':
        return this.#snapshot();
      case 'restart':
        if (node.raft === undefined) this.cluster.start(node);
        return;
      default:
        if (node.raft === undefined) return;
        this.#actOn(node, action);
        this.#drainPerhaps(node);
    }
  }

  #actOn(node: TestNode, action: Exclude<Action, 'deliver' | 'partition' | 'heal' | 'restart' | 'snapshot'>): void {
    switch (action) {
      case 'tick':
        return node.up.tick();
      case 'sync':
        if (node.ioDisk.pending > 0) this.cluster.sync(node, this.#random.between(1, node.ioDisk.pending));
        return;
      case 'apply':
        if (node.toApply.length > 0) this.cluster.apply(node);
        return;
      case 'propose':
        this.cluster.propose(node, this.#random.between(1, 4));
        return;
      case 'read':
        this.cluster.read(node);
        return;
      case 'crash':
        this.crashes++;
        return this.cluster.crash(node);
      case 'compact':
        return this.cluster.compact(node, this.#random.below(10));
      case 'configure':
        return this.#configure(node);
      case 'campaign':
        return this.#campaign(node);
      case 'transfer':
        node.up.transferLeadership(BigInt(this.#random.between(1, this.cluster.nodes.length)) as MemberId);
        return;
    }
  }

  /** One member, or any number, may become anything, at the wish of anybody; often of the leader, or hardly a change would get through. */
  #configure(node: TestNode): void {
    const proposer = this.#random.chance(0.5) ? (this.cluster.leader() ?? node) : node;
    const { voters, learners, joining } = proposer.up.status().configuration;
    const all = this.#random.chance(0.5) ? undefined : this.#random.below(this.cluster.nodes.length) + 1;
    const roles = this.cluster.nodes.map(({ id }) => {
      const role = voters.includes(id) ? 'voter' : learners.includes(id) ? 'learner' : joining.includes(id) ? 'joining' : 'none';
      if (all !== undefined && Number(id) !== all) return { id: Number(id), role };
      return { id: Number(id), role: (['voter', 'voter', 'learner', 'joining', 'none'] as const)[this.#random.below(5)] };
    });
    const those = (wanted: string): number[] => roles.filter(({ role }) => role === wanted).map(({ id }) => id);
    if (those('voter').length > 0) this.cluster.configure(proposer, those('voter'), those('learner'), those('joining'));
  }

  #snapshot(): void {
    const { snapshots } = this.cluster;
    const snapshot = snapshots[this.#random.below(Math.max(1, snapshots.length))];
    if (snapshot !== undefined) this.#deliverSnapshot(snapshot, this.#random.chance(0.2));
  }

  #deliverSnapshot(snapshot: TestSnapshot, lost: boolean): void {
    const { life } = this.cluster.node(snapshot.to);
    this.cluster.deliverSnapshot(snapshot, lost);
    if (this.cluster.node(snapshot.to).life > life) this.snapshots++;
  }

  /** In order, with pre-vote; or because of a word to take over that its leader said long ago, whatever its log is by now. */
  #campaign(node: TestNode): void {
    const { id: to, leader: from, term } = node.up.status();
    if (from === undefined || from === to || this.#random.chance(0.3)) return node.up.campaign();
    node.up.step({ kind: 'timeout-now', from, to, term });
  }

  /** A driver may take the work at once, or later with more of it. */
  #drainPerhaps(node: TestNode): void {
    if (node.raft !== undefined && !this.#random.chance(this.#temper.laziness)) this.cluster.drain(node);
  }

  #deliver(): void {
    const { network } = this.cluster;
    const keepsCut = this.#temper.clogging && network.length < MAX_CLOGGED;
    const first = this.#random.chance(this.#temper.reordering) ? this.#random.below(network.length) : 0;
    const position = network.findIndex((message, i) => i >= first && !(keepsCut && this.cluster.isCut(message)));
    if (position < 0) return;
    const message = network[position] as Message;
    if (!this.#random.chance(this.#temper.duplication)) network.splice(position, 1);
    if (this.cluster.isCut(message) || this.#random.chance(this.#temper.loss)) return;
    this.cluster.deliver(message);
    this.#drainPerhaps(this.cluster.node(message.to));
  }

  /** Cuts some links, one way or both: a member alone, two halves, or any directed graph. */
  #partition(): void {
    const ids = this.cluster.nodes.map(({ id }) => id);
    const kind = this.#random.below(3);
    const alone = ids[this.#random.below(ids.length)] as MemberId;
    const left = new Set(kind === 0 ? [alone] : ids.filter(() => this.#random.chance(0.5)));
    for (const from of ids) {
      for (const to of ids) {
        if (kind === 2 ? this.#random.chance(0.3) : left.has(from) !== left.has(to)) this.cluster.cut.add(`${from}>${to}`);
      }
    }
  }

  /**
   * First some quorum works again, while the others stay where they are, cut off from it; then everything does. Both times a
   * leader is elected, commits, and everybody who works applies and reads what it committed. Who comes back late disturbs nobody.
   */
  heal(): void {
    const { nodes, network } = this.cluster;
    for (const node of nodes) if (node.raft !== undefined) this.cluster.drain(node);
    const working = this.#someQuorum();
    const others = nodes.filter((node) => !working.includes(node));
    // What is under way may still ask for a change that no leader could make with those who work.
    for (const message of network.filter(bringsConfiguration)) network.splice(network.indexOf(message), 1);
    this.cluster.cut.clear();
    for (const inside of working) for (const outside of others) this.cluster.cutLink(inside.id, outside.id);
    this.#live(working);
    this.cluster.cut.clear();
    const { id, term } = this.#leaderOf(working)?.up.status() ?? {};
    const mayDisturb = others.some(({ raft }) => (raft?.status().term ?? 0) > (term ?? 0));
    this.#live(nodes);
    const now = this.cluster.leader()?.up.status();
    if (!mayDisturb && (now?.id !== id || now?.term !== term))
      throw new Violation(`${id} led term ${term}, but those who came back made ${now?.id} lead term ${now?.term}`);
  }

  /** As few members, by chance, as hold a quorum of the configuration of every log, whichever of them may come into force. */
  #someQuorum(): TestNode[] {
    const { nodes, judge, initial } = this.cluster;
    const logs = nodes.flatMap((node) => [node.disk.log, node.view]);
    const last = judge.committed.findLast(({ kind }) => kind === 'config')?.index ?? 0;
    const entries = [...judge.committed, ...logs.flat()].filter(({ kind, index }) => kind === 'config' && index >= last);
    const configurations = entries.map(({ data }) => decodeConfiguration(data) as Configuration);
    if (last === 0) configurations.push(initial);
    // A leader may let those who are joining vote at any time.
    for (const each of [...configurations]) configurations.push({ ...each, voters: [...each.voters, ...each.joining] });
    let working = nodes.toSorted(() => this.#random.float() - 0.5);
    for (const node of working) {
      const without = working.filter((other) => other !== node);
      if (configurations.every((each) => isQuorum(each, (id) => without.some((other) => other.id === id)))) working = without;
    }
    return working;
  }

  #leaderOf(nodes: readonly TestNode[]): TestNode | undefined {
    const leader = this.cluster.leader();
    return leader !== undefined && nodes.includes(leader) ? leader : undefined;
  }

  #wait(what: string, done: () => boolean): void {
    const enough = 60 * ELECTION_TICKS;
    for (let ticks = 0; !done(); ticks++) {
      if (ticks > enough) throw new Violation(`no ${what} within ${enough} ticks of a healthy cluster`);
      for (const snapshot of [...this.cluster.snapshots]) this.#deliverSnapshot(snapshot, false);
      this.cluster.tickAll();
    }
  }

  /** `working` can all reach each other. */
  #live(working: readonly TestNode[]): void {
    const { cluster } = this;
    for (const node of working) if (node.raft === undefined) cluster.start(node);
    cluster.settle();
    const leads = (): TestNode | undefined => this.#leaderOf(working);
    this.#wait('leader', () => leads() !== undefined);
    let proposed = 0 as LogIndex;
    this.#wait('new entry', () => {
      const result = leads()?.up.propose([new Uint8Array(1)]);
      if (result?.outcome === 'appended') proposed = result.lastIndex;
      cluster.settle();
      return result?.outcome === 'appended' && this.#membersOf(working).every((node) => node.applied >= result.lastIndex);
    });
    this.#wait('end of the change of members', () => {
      const { configuration, configurationIndex, commit } = leads()?.up.status() ?? {};
      return configuration !== undefined && !isJoint(configuration) && (configurationIndex ?? 0) <= (commit ?? 0);
    });
    const readers = this.#membersOf(working);
    for (const node of readers) cluster.read(node);
    const contexts = readers.map((node) => [...node.reads.keys()].at(-1));
    this.#wait('answered read', () =>
      readers.every((node, i) => node.answers.some(({ context, index }) => context === contexts[i] && index >= proposed)),
    );
  }

  /** Those of `working` that the leader knows as members. */
  #membersOf(working: readonly TestNode[]): TestNode[] {
    const { addresses } = this.#leaderOf(working)?.up.status().configuration ?? NO_CONFIGURATION;
    return working.filter(({ id }) => addresses.has(id));
  }
}

/** Runs one seed: `events` random events, then healing. Throws Violation (or an assertion of the code) when something is wrong. */
export function runChaos(seed: number, size: number, events: number): ChaosReport {
  const chaos = new Chaos(seed, size);
  chaos.run(events);
  chaos.heal();
  const { committed } = chaos.cluster.judge;
  return {
    committed: committed.length,
    elections: chaos.terms.size,
    crashes: chaos.crashes,
    reads: chaos.reads,
    configurations: committed.filter(({ kind }) => kind === 'config').length,
    snapshots: chaos.snapshots,
  };
}
