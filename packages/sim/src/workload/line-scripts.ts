// What the clients that lock and run for election will do, drawn ahead.
import type { Random } from '@distrokv/base';
import { LINE_NAMES } from '../api/lines.ts';

export interface LineMove {
  readonly thinkMs: number;
  /** `enter` waits to be first; `leave` gives up the place that it has; `again` is another value, from who has a place. */
  readonly what: 'enter' | 'leave' | 'again' | 'first' | 'renew' | 'move';
  readonly name: string;
  readonly timeoutMs: number;
  /** Of a lease, in seconds. */
  readonly ttl: number;
  /** It campaigns, or it locks; the same for all who share lines. */
  readonly isElection: boolean;
}

export type LineScript = readonly LineMove[];

export interface ObserveLine {
  readonly thinkMs: number;
  /** `move`: go to another member, and observe there. */
  readonly what: 'slow' | 'quick' | 'move';
}

/** Of a client that observes one line. */
export interface ObserveScript {
  readonly name: string;
  readonly lines: readonly ObserveLine[];
}

export function drawLineScripts(random: Random, durationMs: number): LineScript[] {
  const pickOne = <T>(...from: readonly T[]): T => from[random.below(from.length)] as T;
  const meanMs = pickOne(200, 600, 1500);
  const isElection = random.chance(0.5);
  return Array.from({ length: random.below(5) }, () => {
    const ttl = random.between(2, 6);
    const moves: LineMove[] = [];
    for (let atMs = 0; atMs < durationMs;) {
      const thinkMs = 2 * meanMs * random.float();
      atMs += thinkMs;
      const dice = random.float();
      const what =
        dice < 0.4 ? 'enter' : dice < 0.65 ? 'leave' : dice < 0.75 ? 'again' : dice < 0.82 ? 'first' : dice < 0.95 ? 'renew' : 'move';
      const name = random.chance(0.8) ? LINE_NAMES[0] : LINE_NAMES[1];
      moves.push({ thinkMs, what, name, timeoutMs: random.chance(0.3) ? random.between(50, 1500) : 6000, ttl, isElection });
    }
    return moves;
  });
}

export function drawObserveScripts(random: Random, durationMs: number): ObserveScript[] {
  return Array.from({ length: random.below(3) }, () => {
    const lines: ObserveLine[] = [];
    const meanMs = random.between(500, 4000);
    for (let atMs = 0; atMs < durationMs;) {
      const thinkMs = 2 * meanMs * random.float();
      atMs += thinkMs;
      lines.push({ thinkMs, what: random.chance(0.4) ? 'quick' : random.chance(0.5) ? 'slow' : 'move' });
    }
    return { name: random.chance(0.8) ? LINE_NAMES[0] : LINE_NAMES[1], lines };
  });
}
