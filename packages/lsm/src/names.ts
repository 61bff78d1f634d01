// What the files of an engine are called. Anything else in the directory is not ours, and is left alone.
//
//   manifest        which tables make up the store (manifest.ts)
//   000001.sst      a table (table-writer.ts)
//   000001.wal      a segment of the write-ahead log (wal.ts)
//   *.tmp           a manifest or a table in the making; left over only after a crash

export const MANIFEST = 'manifest';

export function tableName(number: number): string {
  return `${padded(number)}.sst`;
}

export function segmentName(number: number): string {
  return `${padded(number)}.wal`;
}

export function temporaryName(name: string): string {
  return `${name}.tmp`;
}

function padded(number: number): string {
  return String(number).padStart(6, '0');
}

export interface EngineFile {
  readonly kind: 'manifest' | 'temporary' | 'table' | 'segment';
  /** Of a table or a segment; else 0. */
  readonly number: number;
}

/** What a name in the directory stands for; undefined if it is none of ours. */
export function parseName(name: string): EngineFile | undefined {
  if (name === MANIFEST) return { kind: 'manifest', number: 0 };
  if (name === temporaryName(MANIFEST) || /^\d{6,15}\.sst\.tmp$/.test(name)) return { kind: 'temporary', number: 0 };
  const match = /^(\d{6,15})\.(sst|wal)$/.exec(name);
  if (match === null) return undefined;
  return { kind: match[2] === 'sst' ? 'table' : 'segment', number: Number(match[1]) };
}
