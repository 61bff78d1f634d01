// What the clients of the whole API will do, drawn ahead: when, and of which kind. The call itself is drawn from the line's seed when its time has come,
// for it is about revisions that the client has heard of by then.
import type { Random } from '@distrokv/base';

export interface ApiLine {
  readonly thinkMs: number;
  readonly what: 'key' | 'lease' | 'compact';
  readonly seed: number;
  /** The client goes to another machine first. */
  readonly moves: boolean;
  readonly timeoutMs: number;
}

export type ApiScript = readonly ApiLine[];

interface Habits {
  readonly thinkMs: number;
  readonly moves: number;
  readonly leases: number;
  readonly compactions: number;
}

export function drawApiScripts(random: Random, durationMs: number): ApiScript[] {
  const pickOne = <T>(...from: T[]): T => from[random.below(from.length)] as T;
  const clients = random.between(1, 4);
  const habits: Habits = {
    thinkMs: clients * pickOne(40, 80, 160),
    moves: pickOne(0.02, 0.2, 0.8),
    leases: pickOne(0, 0.15, 0.5),
    compactions: pickOne(0, 0.004, 0.02),
  };
  return Array.from({ length: clients }, () => drawApiScript(random, habits, durationMs));
}

function drawApiScript(random: Random, habits: Habits, durationMs: number): ApiLine[] {
  const script: ApiLine[] = [];
  for (let atMs = 0; atMs < durationMs;) {
    const thinkMs = 2 * habits.thinkMs * random.float();
    atMs += thinkMs;
    const dice = random.float();
    const what = dice < habits.compactions ? 'compact' : dice < habits.compactions + habits.leases ? 'lease' : 'key';
    const timeoutMs = random.chance(0.1) ? random.between(20, 1000) : 10_000;
    script.push({ thinkMs, what, seed: random.uint32(), moves: random.chance(habits.moves), timeoutMs });
  }
  return script;
}
