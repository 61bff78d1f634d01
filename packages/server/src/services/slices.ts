// Long work in slices, so that the event loop goes on in between.
import type { Env } from '@distrokv/env';
import { GrpcError } from '@distrokv/grpc';
import type { Steps } from '@distrokv/mvcc';

/** How long a slice may keep the event loop. */
export const SLICE_MS = 5;

/** Whoever waits for a result. Its signal is asked for only by work that takes long: a call makes one when it is asked. */
export interface Waiting {
  readonly signal: AbortSignal;
}

/** Runs work that comes in steps. Stops when nobody waits for the result any more. */
export async function inSlices<T>(env: Env, steps: Steps<T>, waiting: Waiting | undefined): Promise<T> {
  let step = steps.next();
  let sliceStart = step.done === true ? 0 : env.clock.monotonicMs();
  while (step.done !== true) {
    const wait = step.value ?? (env.clock.monotonicMs() - sliceStart >= SLICE_MS ? env.timers.yield() : undefined);
    if (wait === undefined) {
      step = steps.next();
      continue;
    }
    step = await stepAfter(steps, wait);
    if (step.done !== true && waiting?.signal.aborted === true) {
      steps.return(undefined as never); // closes what it holds
      throw new GrpcError('cancelled', 'context canceled', { isAnswer: true });
    }
    sliceStart = env.clock.monotonicMs();
  }
  return step.value;
}

/** What went wrong while it waited is for the steps to judge. */
async function stepAfter<T>(steps: Steps<T>, wait: Promise<unknown>): Promise<ReturnType<Steps<T>['next']>> {
  try {
    await wait;
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next();
}
