// `mvcc`: the replicated state machine. See the package's README for where to start.
export * from './api-errors.ts';
export * from './check.ts';
export * from './command.ts';
export * from './errors.ts';
export { MAX_RANGE_BYTES, type RangeResult } from './range.ts';
export type { Membership } from './members.ts';
export * from './state.ts';
export { type CommandResult, type CommandResults, Store, storeKeyspaces } from './store.ts';
