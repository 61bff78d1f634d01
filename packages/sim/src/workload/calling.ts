// A client's way to a member and back: what it is told when the member is not there, or dies meanwhile, or takes too long.
import type { Machine } from '../world/machine.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';

/** A client's way to a machine and back. */
export const WAY_MS = 0.5;

export type Called<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface CallOptions<T> {
  readonly world: World;
  readonly machine: Machine;
  readonly timeoutMs: number;
  /** Runs in a process that serves. */
  readonly work: (process: MemberProcess) => Promise<T>;
  readonly onFailure: (error: unknown) => Called<T>;
}

const NOT_THERE = { kind: 'refused', why: 'refused the connection' } as const;

export function callMember<T>({ world, machine, timeoutMs, work, onFailure }: CallOptions<T>): Promise<Called<T>> {
  const { timers } = world.time;
  return new Promise((resolve) => {
    const giveUp = timers.after(timeoutMs, () => resolve({ kind: 'unknown', why: 'no answer in time' }));
    const back = (outcome: Called<T>): void => {
      giveUp.cancel();
      timers.after(WAY_MS, () => resolve(outcome));
    };
    timers.after(WAY_MS, () => {
      const process = machine.process;
      if (!process?.kv && !process?.gate.isPaused) return back(NOT_THERE);
      process.gate.onDeath(() => back({ kind: 'unknown', why: 'the connection broke' }));
      const answer = (outcome: Called<T>): void =>
        process.gate.enter(() => {
          world.observe(machine); // What it has told of is known to the judges.
          back(outcome);
        });
      process.gate.enter(() => {
        if (!process.kv) return back(NOT_THERE);
        work(process).then(
          (found) => answer({ kind: 'answered', answer: found }),
          (error: unknown) => answer(onFailure(error)),
        );
      });
    });
  });
}
