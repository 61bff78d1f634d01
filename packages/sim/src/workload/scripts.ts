// What each client will do, drawn ahead: registers under `r`, each touched by operations on this one key only, which the judge of single keys
// needs; and rows under `t`, which transactions, ranges and range deletes mix.
import type { Random } from '@distrokv/base';
import { FILLER, type Operation, type Step } from './operations.ts';

export interface ScriptLine {
  /** Waits so long before it. */
  readonly thinkMs: number;
  /** A client fills in what it saw last: a guard's value is only known then. */
  readonly operation: Operation;
  /** The client goes to another machine first. */
  readonly moves: boolean;
  readonly timeoutMs: number;
  /** It does not go elsewhere when it gets no answer. */
  readonly stays?: boolean;
}

export type Script = readonly ScriptLine[];

/** Replaced by what the client saw last under the key. */
export const LAST_SEEN = '\u0000last seen';

interface Habits {
  readonly registers: number;
  readonly rows: number;
  readonly thinkMs: number;
  readonly moves: number;
  readonly padding: number;
}

export function drawScripts(random: Random, durationMs: number): Script[] {
  const pickOne = <T>(...from: T[]): T => from[random.below(from.length)] as T;
  const clients = random.between(2, 7);
  const habits: Habits = {
    registers: random.between(1, 5),
    rows: random.between(1, 8),
    thinkMs: clients * pickOne(20, 50, 120),
    moves: pickOne(0.02, 0.2, 0.8),
    padding: pickOne(0, 0, 100, 600),
  };
  return Array.from({ length: clients }, (_, client) => drawScript(random, client, habits, durationMs));
}

function drawScript(random: Random, client: number, habits: Habits, durationMs: number): Script {
  const script: ScriptLine[] = [];
  let sequence = 0;
  const value = (): string => `${client}.${++sequence}`.padEnd(habits.padding, FILLER);
  for (let atMs = 0; atMs < durationMs;) {
    const thinkMs = 2 * habits.thinkMs * random.float();
    atMs += thinkMs;
    const operation = random.chance(0.5) ? drawRegister(random, habits, value) : drawRows(random, habits, value);
    const timeoutMs = random.chance(0.1) ? random.between(20, 1000) : 10_000;
    script.push({ thinkMs, operation, moves: random.chance(habits.moves), timeoutMs });
  }
  return script;
}

function drawRegister(random: Random, { registers }: Habits, value: () => string): Operation {
  const key = `r${random.below(registers)}`;
  const get: Step = { kind: 'range', key, end: undefined, limit: 0 };
  const put: Step = { kind: 'put', key, value: value(), wantsPrevious: random.chance(0.5) };
  const dice = random.float();
  if (dice < 0.35) return { kind: 'step', step: put, serializable: false };
  if (dice < 0.7) return { kind: 'step', step: get, serializable: false };
  if (dice < 0.76) return { kind: 'step', step: get, serializable: true };
  if (dice < 0.94) return { kind: 'txn', guards: [{ key, value: LAST_SEEN }], success: [put], failure: [get] };
  return { kind: 'step', step: { kind: 'delete', key, end: undefined, wantsPrevious: true }, serializable: false };
}

function drawRows(random: Random, { rows }: Habits, value: () => string): Operation {
  const row = (): string => `t${random.below(rows)}`;
  const put = (key = row()): Step => ({ kind: 'put', key, value: value(), wantsPrevious: random.chance(0.5) });
  const get = (): Step => ({ kind: 'range', key: row(), end: undefined, limit: 0 });
  const scan = (): Step => ({ kind: 'range', key: row(), end: 'u', limit: random.below(4) });
  const step = (one: Step): Operation => ({ kind: 'step', step: one, serializable: false });
  const dice = random.float();
  if (dice < 0.2) return step(put());
  if (dice < 0.4) return step(scan());
  if (dice < 0.45)
    return step({ kind: 'delete', key: row(), end: random.chance(0.5) ? 'u' : undefined, wantsPrevious: random.chance(0.5) });
  if (dice < 0.5) return { kind: 'step', step: scan(), serializable: true };
  if (dice < 0.6) return { kind: 'txn', guards: [], success: [get(), scan()], failure: [] };
  const [a, b] = [row(), row()];
  const puts = a === b ? [put(a)] : [put(a), put(b)];
  return {
    kind: 'txn',
    guards: [{ key: a, value: LAST_SEEN }],
    success: [get(), ...puts, scan()],
    failure: [scan(), ...(random.chance(0.3) ? [put(b)] : [])],
  };
}
