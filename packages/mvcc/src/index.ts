// `mvcc`: the replicated state machine. See the package's README for where to start.
export * from './api-errors.ts';
export * from './check.ts';
export * from './command.ts';
export * from './errors.ts';
export { MAX_RANGE_BYTES, type RangeResult } from './range.ts';
export type { Membership } from './members.ts';
export * from './state.ts';
export type { Reads } from './reads.ts';
export { type CommandResult, type CommandResults, Store, type TickResult } from './store.ts';
export { storeKeyspaces } from './keyspaces.ts';
export { type KeyRange, isEmptyRange, keyRange } from './key-range.ts';
export { PlainPut } from './plain-put.ts';
export { type Lease, MAX_LEASE_TTL, MAX_TICK_MS, secondsLeft } from './leases.ts';
export { revisionHeader } from './txn.ts';
export { type Steps, runSteps } from './steps.ts';
export { EventBatch } from './watch/event-batch.ts';
export type { WatchHub } from './watch/watch-hub.ts';
export type { WatchOptions, WatchSink, Watcher } from './watch/watcher.ts';
