// `lsm`: the storage engine, a log-structured merge tree.
export type * from './engine.ts';
export { LsmError, type LsmErrorCode } from './errors.ts';
export { type DumpedPiece, dumpFile } from './dump.ts';
export type { Fault } from './fault.ts';
export { type LevelSummary, type StoreSummary, type TableSummary, inspectStore } from './inspect.ts';
export { openEngine } from './open.ts';
export { type TableFile, type TableFileOptions, TableFileWriter } from './table-file.ts';
export { copyRange } from './ranges.ts';
export { type RepairOptions, type RepairReport, repairStore } from './repair.ts';
export { type VerifyOptions, type VerifyProgress, type VerifyReport, verifyStore } from './verify.ts';
export { type LogContents, type LogKind, LogWriter, MAX_LOG_BYTES, RECORD_HEADER_BYTES, readLog, recordAt } from './log-file.ts';
