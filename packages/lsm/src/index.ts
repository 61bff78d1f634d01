// `lsm`: the storage engine, a log-structured merge tree.
export type * from './engine.ts';
export { LsmError, type LsmErrorCode } from './errors.ts';
export { openEngine } from './open.ts';
export { type LogContents, type LogKind, LogWriter, MAX_LOG_BYTES, RECORD_HEADER_BYTES, readLog, recordAt } from './log-file.ts';
