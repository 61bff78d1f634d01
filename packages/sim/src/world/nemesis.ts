// Lets the faults of a plan happen, each in its time, and ends all of them when the world is to heal.
import { type MemberId, seededRandom, unreachable } from '@distrokv/base';
import type { ServerCall } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Fault, type FaultKind, describeFault } from '../faults.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

const GRACE_MS = 500;

export class Nemesis {
  readonly #world: World;
  readonly #heal: (() => void)[] = [];
  /** How many faults of each kind happened. */
  readonly counts: Map<FaultKind, number> = new Map();

  constructor(world: World) {
    this.#world = world;
  }

  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.#world.later(fault.atMs, () => this.#strike(fault));
  }

  /** Nothing that was broken by a fault with an end is broken any more; machines that are down stay so. */
  healAll(): void {
    for (const heal of this.#heal.splice(0)) heal();
    this.#world.network.reset();
    for (const { process, disk } of this.#world.machines) {
      process?.gate.resume();
      disk.heal();
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
      case 'crash-at-change': {
        const machine = this.#machine(fault.machine);
        return machine.disk.crashAtChange(fault.changes, () => this.#crash(machine, fault));
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
        for (const [from, to] of linksOf(fault)) this.#until(fault.forMs, network.cut(from, to));
        return;
      case 'clog':
        return network.clog(fault.from, fault.to, fault.forMs);
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
        return this.#moveLeader(this.#machine(fault.to));
      default:
        return unreachable(fault, 'fault');
    }
  }

  #crash(machine: Machine, { mode, downMs }: Fault & { kind: 'crash' | 'crash-at-change' | 'power-cut' }): void {
    this.#world.crash(machine, mode);
    this.#world.later(downMs, () => this.#world.start(machine));
  }

  /** Whoever leads is asked to hand over, as by an operator. */
  #moveLeader(to: Machine): void {
    const target: MemberId | undefined = to.process?.running?.member.id;
    const leader = this.#world.machines.find(({ process }) => process?.running?.member.raft.role === 'leader');
    const call = { path: '', metadata: { get: () => undefined } } as unknown as ServerCall;
    if (target === undefined) return;
    Promise.resolve(leader?.process?.maintenance?.moveLeader?.(pb.MoveLeaderRequest.create({ targetID: target }), call)).catch(() => {});
  }

  #until(forMs: number, heal: () => void): void {
    this.#heal.push(heal);
    this.#world.later(forMs, heal);
  }

  #machine(index: number): Machine {
    const { machines } = this.#world;
    return machines[index % machines.length] as Machine;
  }
}

export function linksOf({ from, to, both }: Pick<Fault & { kind: 'partition' }, 'from' | 'to' | 'both'>): [from: number, to: number][] {
  return from.flatMap((a) =>
    to.flatMap((b): [number, number][] =>
      a === b
        ? []
        : both
          ? [
              [a, b],
              [b, a],
            ]
          : [[a, b]],
    ),
  );
}
