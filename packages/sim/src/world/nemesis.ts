// Lets the faults of a plan happen, each in its time, and ends all of them when the world is to heal.
import { type MemberId, messageOf, seededRandom, unreachable } from '@distrokv/base';
import type { CrashMode } from '@distrokv/env';
import type { ServerCall } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Fault, type FaultKind, LEADER, describeFault } from '../faults.ts';
import { Duels } from './duels.ts';
import { linksOf } from './links.ts';
import type { Machine } from './machine.ts';
import type { MemberProcess } from './process.ts';
import type { World } from './world.ts';

const GRACE_MS = 500;
/** What an operator's call tells the handler: nothing. */
const NO_CALL = { path: '', metadata: { get: () => undefined } } as unknown as ServerCall;

export class Nemesis {
  readonly #world: World;
  readonly #heal: (() => void)[] = [];
  /** How many faults of each kind happened. */
  readonly counts: Map<FaultKind, number> = new Map();

  readonly #duels: Duels;

  constructor(world: World) {
    this.#world = world;
    this.#duels = new Duels({
      world,
      onHeal: (heal) => void this.#heal.push(heal),
      moveLeader: (from, to) => this.#moveLeader(from, to),
    });
  }

  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.#world.later(fault.atMs, () => this.#strike(fault));
  }

  /** Nothing that was broken by a fault with an end is broken any more; machines that are down stay so. */
  healAll(): void {
    for (const heal of this.#heal.splice(0)) heal();
    this.#world.network.reset();
    this.#world.disarm();
    for (const machine of this.#world.machines) {
      machine.process?.gate.resume();
      machine.disk.heal();
      machine.preemption = 0;
    }
  }

  #strike(fault: Fault): void {
    const { trace } = this.#world;
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    trace.note('fault', describeFault(fault));
    this.#do(fault);
  }

  #do(fault: Fault): void {
    const { network, machines } = this.#world;
    switch (fault.kind) {
      case 'crash':
        return this.#crash(this.#machine(fault.machine), fault);
      case 'kill':
        return this.#crash(this.#machine(fault.machine), { mode: 'killed', downMs: fault.downMs });
      case 'crash-at-change': {
        const machine = this.#machine(fault.machine);
        return machine.disk.crashAtChange(fault.changes, () => this.#crash(machine, fault));
      }
      case 'crash-at-message': {
        const machine = this.#machine(fault.machine);
        return this.#world.crashAtMessage(machine, fault, () => this.#crash(machine, fault));
      }
      case 'power-cut':
        for (const machine of machines) this.#crash(machine, fault);
        return;
      case 'restart': {
        const machine = this.#machine(fault.machine);
        void machine.stop(GRACE_MS).then(() => this.#world.stopped(machine));
        return this.#world.later(GRACE_MS + 1500 + fault.downMs, () => this.#world.start(machine));
      }
      case 'pause': {
        const gate = this.#machine(fault.machine).process?.gate;
        gate?.pause();
        return this.#until(fault.forMs, () => gate?.resume());
      }
      case 'partition':
        for (const [from, to] of linksOf({ from: fault.from.map(this.#index), to: fault.to.map(this.#index), both: fault.both }))
          this.#until(fault.forMs, network.cut(from, to));
        return;
      case 'clog':
        return network.clog(this.#index(fault.from), fault.to, fault.forMs);
      case 'slow-disk': {
        const { disk } = this.#machine(fault.machine);
        disk.callMs = fault.callMs;
        return this.#until(fault.forMs, () => (disk.callMs = 0));
      }
      case 'disk-trouble': {
        const { disk } = this.#machine(fault.machine);
        const trouble = (disk.trouble = { code: fault.code, kinds: fault.calls, chance: fault.chance });
        return this.#until(fault.forMs, () => {
          if (disk.trouble === trouble) disk.trouble = undefined;
        });
      }
      case 'rot': {
        const machine = this.#machine(fault.machine);
        const where = machine.disk.rot(seededRandom(fault.seed), fault.what);
        return this.#world.trace.note(machine.name, where ? `rots: ${where}` : 'has nothing to rot');
      }
      case 'lose-disk': {
        const machine = this.#machine(fault.machine);
        this.#world.crash(machine, 'lost');
        machine.isGone = true;
        return;
      }
      case 'clock-jump':
        this.#machine(fault.machine).clock.wallOffsetMs += fault.byMs;
        return;
      case 'move-leader':
        return this.#moveLeader(this.#leader, this.#machine(fault.to).process?.running?.member.id);
      case 'duel':
        return void this.#duels.fight(fault);
      case 'add-member':
        return this.#addMember(this.#machine(fault.machine), fault.asLearner);
      case 'promote-member':
      case 'remove-member':
        return this.#changeMember(this.#machine(fault.machine), fault.kind);
      case 'rejoin': {
        const machine = this.#machine(fault.machine);
        if (machine.isGone) return;
        this.#world.crash(machine, 'lost');
        machine.disk.replace();
        machine.joins = 'again';
        return this.#world.later(fault.downMs, () => this.#world.start(machine));
      }
      default:
        return unreachable(fault, 'fault');
    }
  }

  /** The machine is started whether the answer came or not: it may have been added. */
  #addMember(machine: Machine, isLearner: boolean): void {
    if (machine.joins !== 'no' || machine.isGone) return;
    machine.joins = 'added';
    const request = pb.MemberAddRequest.create({ peerURLs: [`http://${machine.name}:2380`], isLearner });
    this.#operate(
      (cluster) => cluster.memberAdd?.(request, NO_CALL),
      () => this.#world.start(machine),
    );
  }

  #changeMember(machine: Machine, kind: 'promote-member' | 'remove-member'): void {
    const id = machine.process?.running?.member.id;
    if (id === undefined) return;
    this.#operate((cluster) =>
      kind === 'promote-member'
        ? cluster.memberPromote?.(pb.MemberPromoteRequest.create({ id }), NO_CALL)
        : cluster.memberRemove?.(pb.MemberRemoveRequest.create({ id }), NO_CALL),
    );
  }

  /** Asks whoever leads, as an operator would; what comes of it is told in the timeline. */
  #operate(work: (cluster: NonNullable<MemberProcess['cluster']>) => unknown, after: () => void = () => {}): void {
    const cluster = this.#leader?.process?.cluster;
    const { trace } = this.#world;
    Promise.resolve(cluster && work(cluster)).then(
      () => {
        trace.note('admin', cluster ? 'it is done' : 'nobody leads');
        after();
      },
      (error: unknown) => {
        trace.note('admin', `is told: ${messageOf(error)}`);
        after();
      },
    );
  }

  get #leader(): Machine | undefined {
    return this.#world.machines.find(({ process }) => process?.running?.member.raft.role === 'leader');
  }

  #crash(machine: Machine, { mode, downMs }: { readonly mode: CrashMode | 'killed'; readonly downMs: number }): void {
    this.#world.crash(machine, mode);
    this.#world.later(downMs, () => this.#world.start(machine));
  }

  /** Who leads is asked to hand over, as by an operator. */
  #moveLeader(from: Machine | undefined, to: MemberId | undefined): void {
    if (to === undefined) return;
    Promise.resolve(from?.process?.maintenance?.moveLeader?.(pb.MoveLeaderRequest.create({ targetID: to }), NO_CALL)).catch(() => {});
  }

  #until(forMs: number, heal: () => void): void {
    this.#heal.push(heal);
    this.#world.later(forMs, heal);
  }

  #machine(index: number): Machine {
    return (index === LEADER ? this.#leader : undefined) ?? (this.#world.machines[Math.max(0, index)] as Machine);
  }

  readonly #index = (index: number): number => this.#machine(index).index;
}
