// Random schedules: a cluster in which anything that may happen happens in any order, from a seed. First harm (messages
// lost, doubled, reordered, cut off; members crashed in the middle of writes; slow disks; slow drivers), then healing,
// after which the cluster must be alive.
import { seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Random } from '@distrokv/base';
import type { Message } from '../messages.ts';
import { Cluster, ELECTION_TICKS } from './cluster.ts';
import type { TestNode } from './cluster.ts';
import { Violation } from './judge.ts';

export interface ChaosReport {
  readonly committed: number;
  readonly elections: number;
  readonly crashes: number;
  readonly reads: number;
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
  | 'transfer';

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
      ['compact', pick(0, 1)],
      ['campaign', pick(0, 0.2, 1)],
      ['transfer', pick(0, 0.3, 1.5)],
    ],
  };
}

/** Past so many messages under way, clogged links lose them after all. */
const MAX_CLOGGED = 500;

class Chaos {
  readonly cluster: Cluster;
  readonly #random: Random;
  readonly #temper: Temper;
  crashes = 0;
  reads = 0;
  readonly terms: Set<number> = new Set();

  constructor(seed: number, size: number) {
    this.#random = seededRandom(seed);
    this.#temper = drawTemper(this.#random);
    this.cluster = new Cluster({
      size,
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
      case 'restart':
        if (node.raft === undefined) this.cluster.start(node);
        return;
      default:
        if (node.raft === undefined) return;
        this.#actOn(node, action);
        this.#drainPerhaps(node);
    }
  }

  #actOn(node: TestNode, action: 'tick' | 'sync' | 'apply' | 'propose' | 'read' | 'crash' | 'compact' | 'campaign' | 'transfer'): void {
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
        return this.cluster.compact(node);
      case 'campaign':
        return this.#campaign(node);
      case 'transfer':
        node.up.transferLeadership(BigInt(this.#random.between(1, this.cluster.nodes.length)) as MemberId);
        return;
    }
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
   * First a majority works again, while the others stay where they are, cut off from it; then everything does. Both times a
   * leader is elected, commits, and everybody who works applies and reads what it committed. Who comes back late disturbs nobody.
   */
  heal(): void {
    const { nodes } = this.cluster;
    const majority = nodes.toSorted(() => this.#random.float() - 0.5).slice(0, Math.floor(nodes.length / 2) + 1);
    const others = nodes.filter((node) => !majority.includes(node));
    this.cluster.cut.clear();
    for (const inside of majority) for (const outside of others) this.cluster.cutLink(inside.id, outside.id);
    this.#live(majority);
    this.cluster.cut.clear();
    const { id, term } = this.#leaderOf(majority)?.up.status() ?? {};
    const mayDisturb = others.some(({ raft }) => (raft?.status().term ?? 0) > (term ?? 0));
    this.#live(nodes);
    const now = this.cluster.leader()?.up.status();
    if (!mayDisturb && (now?.id !== id || now?.term !== term))
      throw new Violation(`${id} led term ${term}, but those who came back made ${now?.id} lead term ${now?.term}`);
    const all = (): boolean => nodes.every((node) => node.up.status().matchedByAll >= this.cluster.judge.committed.length);
    this.#wait('word that everybody has everything', all);
  }

  #leaderOf(nodes: readonly TestNode[]): TestNode | undefined {
    const leader = this.cluster.leader();
    return leader !== undefined && nodes.includes(leader) ? leader : undefined;
  }

  #wait(what: string, done: () => boolean): void {
    const enough = 60 * ELECTION_TICKS;
    for (let ticks = 0; !done(); ticks++) {
      if (ticks > enough) throw new Violation(`no ${what} within ${enough} ticks of a healthy cluster`);
      this.cluster.tickAll();
    }
  }

  /** `working` can all reach each other. */
  #live(working: readonly TestNode[]): void {
    const { cluster } = this;
    for (const node of working) if (node.raft === undefined) cluster.start(node);
    cluster.settle();
    this.#wait('leader', () => this.#leaderOf(working) !== undefined);
    let proposed = 0 as LogIndex;
    this.#wait('new entry', () => {
      const result = this.#leaderOf(working)?.up.propose([new Uint8Array(1)]);
      if (result?.outcome === 'appended') proposed = result.lastIndex;
      cluster.settle();
      return result?.outcome === 'appended' && working.every((node) => node.applied >= result.lastIndex);
    });
    for (const node of working) cluster.read(node);
    const contexts = working.map((node) => [...node.reads.keys()].at(-1));
    this.#wait('answered read', () =>
      working.every((node, i) => node.answers.some(({ context, index }) => context === contexts[i] && index >= proposed)),
    );
  }
}

/** Runs one seed: `events` random events, then healing. Throws Violation (or an assertion of the code) when something is wrong. */
export function runChaos(seed: number, size: number, events: number): ChaosReport {
  const chaos = new Chaos(seed, size);
  chaos.run(events);
  chaos.heal();
  return { committed: chaos.cluster.judge.committed.length, elections: chaos.terms.size, crashes: chaos.crashes, reads: chaos.reads };
}
