// After the faults: a majority is healed, the others stay as broken as chance has it, and now things must go well. A leader within three
// election timeouts, every operation answered within ten seconds, every healthy replica up to date.
import { type Random, seededRandom } from '@distrokv/base';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { serverDefaults } from '@distrokv/server';
import { type Plan, pick, range, shuffled } from './plan.ts';
import { Violation } from './violation.ts';
import type { Client } from './workload/client.ts';
import type { Operation } from './workload/operations.ts';
import type { Machine } from './world/machine.ts';
import { linksOf } from './world/links.ts';
import type { Nemesis } from './world/nemesis.ts';
import type { World } from './world/world.ts';

/** An election timeout is drawn from one to two of the configured one; clocks of the world may be a tenth slow, or more where reads rest on that. */
const LEADER_MS = 3 * 2 * serverDefaults.electionMs * 1.1;
/** Reading the disk and joining. */
const START_MS = 5000;
/** A member that joins asks who it is, is sent a snapshot, and starts on it. */
const JOIN_MS = 20_000;
const ANSWER_MS = 10_000;
const CATCH_UP_MS = 10_000;
const POLL_MS = 100;
const OPERATIONS_EACH = 4;

export interface LivenessOptions {
  readonly world: World;
  readonly plan: Plan;
  readonly clients: readonly Client[];
  readonly nemesis: Nemesis;
}

type Advance = (ms: number) => Promise<void>;

export class LivenessPhase {
  readonly #options: LivenessOptions;
  readonly #random: Random;
  readonly #core: readonly Machine[];

  constructor(options: LivenessOptions) {
    this.#options = options;
    const { plan, world } = options;
    this.#random = seededRandom(plan.seed + 0.25 * 2 ** 32);
    const healthy = world.machines.filter(
      ({ index, isGone, joins }) => !plan.victims.includes(index) && !isGone && (index < plan.members || joins !== 'no'),
    );
    const majority = Math.floor(plan.members / 2) + 1;
    const count = plan.membership === 'fixed' ? this.#random.between(majority, healthy.length) : healthy.length;
    this.#core = shuffled(this.#random, healthy).slice(0, count);
  }

  /** Returns the healed members. Throws a Violation. */
  async run(advance: Advance): Promise<readonly Machine[]> {
    const { world } = this.#options;
    this.#heal();
    world.trace.note('heal', `${this.#core.map(({ name }) => name).join(' ')} are to go on alone`);
    await this.#until(
      advance,
      START_MS,
      () => this.#core.every((machine) => isUp(machine) || machine.joins !== 'no'),
      'the healed members do not all start',
    );
    const slow = 1 + (this.#options.plan.leaseDrift ?? 0);
    await this.#until(advance, slow * LEADER_MS, () => this.#hasLeader(), 'the healed majority has no leader');
    await this.#until(advance, JOIN_MS, () => this.#members.length > 0 && this.#members.every(isUp), 'a new member does not join');
    await this.#until(advance, CATCH_UP_MS, () => this.#isLevel(), 'a healed member does not catch up');
    let isAnswered = false;
    void this.#askAll().then(() => (isAnswered = true));
    await advance(ANSWER_MS + POLL_MS); // what was asked before the healing is answered, or given up, by then
    await this.#until(advance, OPERATIONS_EACH * ANSWER_MS, () => isAnswered, 'not every operation is answered');
    await this.#until(advance, CATCH_UP_MS, () => this.#isLevel(), 'a healed member does not catch up');
    return this.#members;
  }

  #heal(): void {
    const { world, nemesis, plan } = this.#options;
    world.isClosing = true;
    world.network.weather = { ...plan.weather, loss: 0, duplication: 0 };
    const rest = world.machines.filter((machine) => !this.#core.includes(machine));
    const troubles = new Map(rest.map((machine) => [machine, machine.disk.trouble]));
    nemesis.healAll();
    for (const machine of rest) this.#breakForGood(machine, troubles.get(machine));
    for (const machine of this.#core) {
      if (machine.isStopping) world.crash(machine, 'killed');
      world.start(machine);
    }
  }

  /**
   * Machines outside the core are dead, silent, deaf, slow, or well: none of it may matter. (A machine that only some of the core can hear is
   * another matter: a leader that a majority hears leads on, and who does not hear it is not served; Raft promises no more.)
   */
  #breakForGood(machine: Machine, trouble: Machine['disk']['trouble']): void {
    const { world } = this.#options;
    const { index } = machine;
    const others = range(world.machines.length).filter((other) => other !== index);
    machine.disk.trouble = trouble;
    const cut = (from: readonly number[], to: readonly number[], both: boolean): void => {
      for (const [a, b] of linksOf({ from, to, both })) world.network.cut(a, b);
    };
    const leads = machine.process?.running?.member.raft.role === 'leader';
    // A leader that is heard and hears nothing is the worst of them: its followers must not wait for it.
    const how =
      leads && this.#random.chance(0.5) ? 'deaf' : pick(this.#random, ['dead', 'paused', 'cut off', 'silent', 'deaf', 'well'] as const);
    world.trace.note(machine.name, `is left ${how}`);
    if (how === 'dead') {
      world.crash(machine, 'lost');
      machine.isGone = true;
    } else if (how === 'paused') machine.process?.gate.pause();
    else if (how === 'cut off') cut([index], others, true);
    else if (how === 'silent') cut([index], others, false);
    else if (how === 'deaf') cut(others, [index], false);
  }

  /** Of the core: who belongs to the cluster, as whoever leads in the latest term knows it. (Some may have been removed, or not been added yet.) */
  get #members(): readonly Machine[] {
    return this.#coreAt(() => true);
  }

  /** Those of them that serve clients: a learner does not. */
  get #voters(): readonly Machine[] {
    return this.#coreAt(({ isLearner }) => !isLearner);
  }

  #coreAt(chosen: (member: pb.Member) => boolean): readonly Machine[] {
    const leader = this.#leader?.process?.running;
    if (!leader) return [];
    const urls = leader.storage.store.members.filter(chosen).flatMap(({ peerURLs }) => peerURLs);
    return this.#core.filter(({ name, isGone }) => !isGone && urls.includes(`http://${name}:2380`));
  }

  get #leader(): Machine | undefined {
    const leads = this.#options.world.machines.filter(({ process }) => process?.running?.member.raft.role === 'leader');
    return leads.sort((a, b) => (b.process?.running?.member.raft.term ?? 0) - (a.process?.running?.member.raft.term ?? 0))[0];
  }

  #hasLeader(): boolean {
    const leader = this.#leader?.process?.running?.member;
    const states = this.#members.flatMap(({ process }) => (process?.running ? [process.running.member.raft] : []));
    return (
      leader !== undefined && states.length > 0 && states.every((state) => state.leader === leader.id && state.term === leader.raft.term)
    );
  }

  #isLevel(): boolean {
    const states = this.#members.map(({ process }) => process?.running?.member.raft);
    const first = states[0]?.applied;
    return first !== undefined && states.every((state) => state?.applied === first && state.commit === first);
  }

  /** An operation on a healed member that is not answered is a Violation; unless a removal was under way, and it is none any more. */
  async #askAll(): Promise<void> {
    await Promise.all(this.#options.clients.map((client, index) => this.#ask(client, index)));
  }

  async #ask(client: Client, index: number): Promise<void> {
    const { world } = this.#options;
    for (let i = 0; i < OPERATIONS_EACH; i++) {
      const machine = this.#voters[(index + i) % Math.max(1, this.#voters.length)] ?? (this.#core[0] as Machine);
      const { outcome } = await client.ask(lastOperation(index, i), machine, ANSWER_MS);
      if (outcome?.kind !== 'answered' && !machine.isGone) {
        world.broken(new Violation('liveness', `${client.name} gets no answer from the healed ${machine.name}: ${outcome?.why ?? ''}`));
        return;
      }
    }
  }

  async #until(advance: Advance, withinMs: number, holds: () => boolean, failure: string): Promise<void> {
    for (let waitedMs = 0; !holds(); waitedMs += POLL_MS) {
      if (waitedMs >= withinMs) throw new Violation('liveness', `${failure} within ${(withinMs / 1000).toFixed(1)} s`);
      await advance(POLL_MS);
    }
  }
}

const isUp = ({ process }: Machine): boolean => process?.running !== undefined;

function lastOperation(client: number, i: number): Operation {
  const key = `r${client % 3}`;
  if (i % 2 === 0)
    return { kind: 'step', step: { kind: 'put', key, value: `last ${client}.${i}`, wantsPrevious: true }, serializable: false };
  return { kind: 'step', step: { kind: 'range', key: 'r', end: 'u', limit: 0 }, serializable: false };
}
