// What the clients that watch will do, drawn ahead; the details of each line come from its seed when its time has come.
import type { Random } from '@distrokv/base';

export interface WatchLine {
  readonly thinkMs: number;
  /** `move`: go to another member, and watch on there. */
  readonly what: 'create' | 'cancel' | 'progress' | 'move' | 'slow' | 'quick';
  readonly seed: number;
}

export type WatchScript = readonly WatchLine[];

export function drawWatchScripts(random: Random, durationMs: number): WatchScript[] {
  const pickOne = <T>(...from: T[]): T => from[random.below(from.length)] as T;
  const meanMs = pickOne(300, 1000, 2500);
  const slow = pickOne(0, 0.15, 0.3);
  const moves = pickOne(0.05, 0.2);
  return Array.from({ length: random.between(1, 3) }, () => {
    const script: WatchLine[] = [];
    for (let atMs = 0; atMs < durationMs;) {
      const thinkMs = script.length === 0 ? 100 * random.float() : 2 * meanMs * random.float();
      atMs += thinkMs;
      script.push({ thinkMs, what: script.length < 2 ? 'create' : drawWhat(random, slow, moves), seed: random.uint32() });
    }
    return script;
  });
}

function drawWhat(random: Random, slow: number, moves: number): WatchLine['what'] {
  const dice = random.float();
  if (dice < slow) return random.chance(0.5) ? 'slow' : 'quick';
  if (dice < slow + moves) return 'move';
  const rest = random.float();
  return rest < 0.45 ? 'create' : rest < 0.6 ? 'cancel' : 'progress';
}
