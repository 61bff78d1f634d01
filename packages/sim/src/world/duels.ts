// Duels: fights over who leads, played in several moves that must fit together. Faults that strike each on its own seldom make two logs
// diverge, let two candidates run in one term, or leave a deposed leader with clients that believe it; a duel looks at who leads, and makes its
// moves by that. What comes of it is chance again.
//
//   cut     whoever leads is cut off, in the midst of appends, until others have elected and written; then the next one, and the first is back
//   pause   the same, but it stands still meanwhile, and goes on, still cut off, believing that it leads
//   lose    a minority hears nothing; the leader's disk is slow, its power fails, and who did hear is cut off when it is back
//   split   two or three members are told to run in the same term, with slow disks, and some lose power in the midst of the vote, or as they grant theirs
//   lease   whoever leads is cut off while it may count on a lease; or after it told another to take over; or as answers come very late
//   stale   a member is told to take over, but hears it only when the leader has long gone on without it
import { type MemberId, type Random, seededRandom } from '@distrokv/base';
import type { Fault } from '../faults.ts';
import { shuffled } from '../plan.ts';
import { linksOf } from './links.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

type Duel = Fault & { readonly kind: 'duel' };

const POLL_MS = 10;
/** More than an election takes. */
const PATIENCE_MS = 5000;
const CUT_ROUNDS = 4;

export interface DuelOptions {
  readonly world: World;
  /** Called at the end of the faults, if not before. */
  readonly onHeal: (heal: () => void) => void;
  readonly moveLeader: (from: Machine, to: MemberId) => void;
}

export class Duels {
  readonly #options: DuelOptions;

  constructor(options: DuelOptions) {
    this.#options = options;
  }

  async fight({ how, seed }: Duel): Promise<void> {
    const random = seededRandom(seed);
    const leader = await this.#leaderBut(undefined);
    if (leader === undefined) return;
    if (how === 'cut' || how === 'pause') await this.#depose(random, leader, how === 'pause');
    else if (how === 'lose') await this.#lose(random, leader);
    else if (how === 'split') await this.#split(random, leader);
    else if (how === 'lease') await this.#outlive(random, leader);
    else await this.#stale(random, leader);
  }

  async #depose(random: Random, first: Machine, pauses: boolean): Promise<void> {
    let leader: Machine | undefined = first;
    let healLast = (): void => {};
    for (let round = 0; round < CUT_ROUNDS && leader !== undefined && !this.#isOver; round++) {
      const others: readonly Machine[] = shuffled(random, this.#others(leader));
      // A leader that a minority hears.
      const friends = random.below(Math.floor(others.length / 2) + 1) - (others.length % 2 === 0 ? 0 : 1);
      const heal = this.#cut([leader, ...others.slice(0, Math.max(0, friends))]);
      healLast();
      healLast = heal;
      const gate = leader.process?.gate;
      if (pauses) {
        gate?.pause();
        this.#options.onHeal(() => gate?.resume());
      }
      const next = await this.#leaderBut(leader);
      await this.#sleep(pauses ? 200 + 800 * random.float() : 300 * random.float() ** 2);
      gate?.resume();
      if (pauses) await this.#sleep(800 * random.float());
      leader = next;
    }
    healLast();
  }

  async #lose(random: Random, leader: Machine): Promise<void> {
    const { world } = this.#options;
    const others = shuffled(random, this.#others(leader));
    const minority = others.slice(0, Math.floor(others.length / 2));
    const majority = others.filter((each) => !minority.includes(each));
    const healMinority = this.#cut(minority);
    this.#slow(leader, 100 + 700 * random.float());
    await this.#sleep(100 + 800 * random.float());
    const healMajority = this.#cut(majority);
    if (!this.#isOver) world.crash(leader, 'lost');
    this.#slow(leader, 0);
    healMinority();
    await this.#sleep(1 + 50 * random.float());
    if (!this.#isOver) world.start(leader);
    await this.#sleep(2500);
    healMajority();
  }

  async #split(random: Random, leader: Machine): Promise<void> {
    const { world, moveLeader } = this.#options;
    const others = shuffled(random, this.#others(leader));
    for (const machine of [leader, ...others]) if (random.chance(0.8)) this.#slow(machine, 5 + 150 * random.float() ** 2);
    for (const to of others.slice(0, 2 + random.below(2))) {
      const id = to.process?.running?.member.id;
      if (id !== undefined) moveLeader(leader, id);
      await this.#sleep(random.chance(0.5) ? 0 : 30 * random.float());
    }
    if (random.chance(0.5)) this.#strikeVoters(random, [leader, ...others]);
    for (let strikes = 0; strikes < 3; strikes++) {
      await this.#sleep(150 * random.float());
      for (const machine of [leader, ...others]) {
        if (this.#isOver || !random.chance(0.35)) continue;
        world.crash(machine, random.chance(0.5) ? 'killed' : 'lost');
        if (random.chance(0.7)) this.#slow(machine, 0);
        world.later(1 + 30 * random.float(), () => world.start(machine));
      }
    }
    await this.#sleep(500);
    for (const machine of [leader, ...others]) this.#slow(machine, 0);
  }

  /** Who grants a vote loses its power at once, and mostly the vote is lost, too; it is back while others still ask. */
  #strikeVoters(random: Random, machines: readonly Machine[]): void {
    const { world } = this.#options;
    for (const machine of machines)
      world.crashAtMessage(machine, { message: 'request-vote-response', leaves: random.chance(0.3) }, () => {
        world.crash(machine, random.chance(0.5) ? 'killed' : 'lost');
        this.#slow(machine, 0);
        world.later(1 + 30 * random.float(), () => world.start(machine));
      });
  }

  async #stale(random: Random, leader: Machine): Promise<void> {
    const { world, moveLeader } = this.#options;
    const to = shuffled(random, this.#others(leader))[0];
    const id = to?.process?.running?.member.id;
    if (!to || id === undefined) return;
    world.network.clog(leader.index, to.index, 1050 + 800 * random.float());
    moveLeader(leader, id);
    await this.#sleep(2000);
  }

  /** Mostly whoever has the slowest clock is made the leader first: it counts on its lease for the longest time. */
  async #outlive(random: Random, first: Machine): Promise<void> {
    const { world, moveLeader } = this.#options;
    const slowest = this.#others(first).reduce((a, b) => (b.clock.rate < a.clock.rate ? b : a), first);
    const slowestId = slowest.process?.running?.member.id;
    let leader = first;
    if (slowest !== first && slowestId !== undefined && random.chance(0.8)) {
      moveLeader(first, slowestId);
      leader = (await this.#leaderBut(first)) ?? first;
      await this.#sleep(250);
    }
    const others = this.#others(leader);
    const heals: (() => void)[] = [];
    const how = random.below(3);
    if (how === 0) {
      const successor = shuffled(random, others)[0]?.process?.running?.member.id;
      if (successor !== undefined) moveLeader(leader, successor);
      await this.#sleep(80 * random.float() ** 2);
      heals.push(this.#sever(others, [leader]));
    } else if (how === 1) {
      const lateMs = 500 + 400 * random.float();
      const heardMs = 120 + 80 * random.float();
      if (!this.#isOver) for (const { index } of others) world.network.clog(index, leader.index, lateMs);
      await this.#sleep(heardMs);
      heals.push(this.#sever([leader], others));
      await this.#sleep(lateMs - heardMs + 20 * random.float());
      heals.push(this.#sever(others, [leader]));
    } else heals.push(this.#cut([leader]));
    await this.#leaderBut(leader);
    await this.#sleep(100 + 400 * random.float());
    for (const heal of heals) heal();
  }

  get #isOver(): boolean {
    return this.#options.world.isClosing;
  }

  #others(machine: Machine): Machine[] {
    return this.#options.world.machines.filter((other) => other !== machine && other.process?.running !== undefined);
  }

  /** These do not hear the others, nor the others them, until the returned function is called. */
  #cut(side: readonly Machine[]): () => void {
    const rest = this.#options.world.machines.filter((machine) => !side.includes(machine));
    const heals = [this.#sever(side, rest), this.#sever(rest, side)];
    return () => heals.forEach((heal) => heal());
  }

  /** What the first send the others does not arrive, until the returned function is called. */
  #sever(senders: readonly Machine[], receivers: readonly Machine[]): () => void {
    const { network } = this.#options.world;
    if (this.#isOver) return () => {};
    const [from, to] = [senders, receivers].map((machines) => machines.map(({ index }) => index)) as [number[], number[]];
    const heals = linksOf({ from, to, both: false }).map(([a, b]) => network.cut(a, b));
    const heal = (): void => heals.forEach((each) => each());
    this.#options.onHeal(heal);
    return heal;
  }

  #slow(machine: Machine, callMs: number): void {
    machine.disk.callMs = this.#isOver ? 0 : callMs;
  }

  /** Whoever leads in the latest term, when that is another; undefined when nobody does for long. */
  async #leaderBut(old: Machine | undefined): Promise<Machine | undefined> {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS && !this.#isOver; waitedMs += POLL_MS) {
      let latest: Machine | undefined;
      for (const machine of this.#options.world.machines)
        if (machine !== old && leads(machine) && termOf(machine) > (latest ? termOf(latest) : 0)) latest = machine;
      if (latest !== undefined && (old === undefined || termOf(latest) > termOf(old))) return latest;
      await this.#sleep(POLL_MS);
    }
    return undefined;
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.world.time.timers.sleep(ms);
  }
}

const leads = ({ process }: Machine): boolean => process?.running?.member.raft.role === 'leader';
const termOf = ({ process }: Machine): number => process?.running?.member.raft.term ?? 0;
