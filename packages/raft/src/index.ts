// `raft`: the consensus core. Pure and deterministic: it returns work and never does it.
export { RaftError } from './errors.ts';
export type { RaftErrorCode } from './errors.ts';
export { MemoryLog } from './memory-log.ts';
export * from './configuration.ts';
export { decodeConfiguration, encodeConfiguration } from './configuration-codec.ts';
export type * from './messages.ts';
export { Raft } from './raft.ts';
export type * from './types.ts';
