// Assertions stay on in production: a broken invariant is a bug of ours, and a node that has one must stop
// before it spreads. What comes from outside (a client, a peer, a disk) is checked with typed errors instead.

/** A broken invariant: never caught to go on, always fatal for the node. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws AssertionError unless `condition` holds. `message` says which invariant, in the words of its type. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${message}`);
}

/** The end of a `switch` over a closed union: it does not compile while a case is missing. */
export function unreachable(value: never, what = 'value'): never {
  throw new AssertionError(`assertion failed: unexpected ${what}: ${String(value)}`);
}

/** Returns `value` if it is there; for what an invariant promises and the type cannot. */
export function defined<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`assertion failed: ${what} is missing`);
  return value;
}
