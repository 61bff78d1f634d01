// The engine's options with their defaults, checked once.
import { type Env, type Logger, silentLogger } from '@distrokv/env';
import { isAvailable } from './codec.ts';
import type { Codec, EngineOptions, KeyspaceOptions, WalMode } from './engine.ts';
import { LsmError } from './errors.ts';
import { MAX_FROZEN } from './generations.ts';

export interface Settings {
  readonly env: Env;
  readonly directory: string;
  readonly keyspaces: readonly KeyspaceOptions[];
  readonly wal: WalMode;
  readonly logger: Logger;
  readonly memoryLimitBytes: number;
  readonly memtableBytes: number;
  /** For tables: indexes, filters and blocks. */
  readonly blockCacheBytes: number;
  readonly blockBytes: number;
  readonly mergeFanIn: number;
  readonly maxOpenFiles: number;
  readonly codecs: readonly Codec[];
  readonly background: 'inline' | 'thread';
  readonly mergeBytesPerSecond: number;
  readonly onFatal: (error: Error) => void;
}

/** One that takes writes, and those that wait for their flush. */
const MEMTABLES = 1 + MAX_FROZEN;

/** More than any disk does. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** Throws LsmError `invalid` for an option out of its bounds. */
export function settingsOf(options: EngineOptions): Settings {
  const names = new Set(options.keyspaces.map((keyspace) => keyspace.name));
  if (names.size !== options.keyspaces.length || names.has(''))
    throw new LsmError('invalid', 'keyspaces have different names, none of them empty');
  const memory = memoryOf(options);
  return {
    env: options.env,
    directory: options.directory,
    keyspaces: options.keyspaces,
    wal: options.wal,
    logger: options.logger ?? silentLogger,
    ...memory,
    blockBytes: within('blockBytes', options.blockBytes ?? 4096, 64, 1 << 20),
    mergeFanIn: within('mergeFanIn', options.mergeFanIn ?? 4, 1, 64),
    maxOpenFiles: within('maxOpenFiles', options.maxOpenFiles ?? 2048, 1, 1 << 20),
    codecs: checkedCodecs(options.codecs ?? ['none']),
    background: options.background ?? (options.env.fs.isHost ? 'thread' : 'inline'),
    mergeBytesPerSecond: within('mergeBytesPerSecond', options.mergeBytesPerSecond ?? UNBOUNDED, 64 << 10, UNBOUNDED),
    onFatal: options.onFatal ?? (() => {}),
  };
}

type Memory = Pick<Settings, 'memoryLimitBytes' | 'memtableBytes' | 'blockCacheBytes'>;

/** The limit and its two parts, which never come to more. */
function memoryOf(options: EngineOptions): Memory {
  const limit = within('memoryLimitBytes', options.memoryLimitBytes ?? 256 << 20, 1 << 20, Number.MAX_SAFE_INTEGER);
  const memtableShare = Math.min(32 << 20, Math.floor(limit / 8));
  const memtableBytes = within('memtableBytes', options.memtableBytes ?? memtableShare, 1024, 1 << 30);
  // A memtable's arrays are somewhat larger than what is in them.
  const forMemtables = Math.ceil(MEMTABLES * memtableBytes * 1.25);
  const forTables = Math.max(0, limit - forMemtables);
  const blockCacheBytes = within('blockCacheBytes', options.blockCacheBytes ?? forTables, 0, Number.MAX_SAFE_INTEGER);
  const sum = forMemtables + blockCacheBytes;
  if (sum <= limit) return { memoryLimitBytes: limit, memtableBytes, blockCacheBytes };
  // Whoever gives the parts alone means their sum.
  if (options.memoryLimitBytes === undefined) return { memoryLimitBytes: sum, memtableBytes, blockCacheBytes };
  throw new LsmError(
    'invalid',
    `memoryLimitBytes is ${limit}, but memtables (${forMemtables}) and tables (${blockCacheBytes}) may take ${sum}`,
  );
}

/** The codec of tables that are written into a level. */
export function codecAt({ codecs }: Settings, level: number): Codec {
  return codecs[Math.min(level, codecs.length - 1)] as Codec;
}

function checkedCodecs(codecs: readonly Codec[]): readonly Codec[] {
  if (codecs.length > 0 && codecs.every(isAvailable)) return codecs;
  throw new LsmError('invalid', `codecs are one at least, and of those that this runtime has; they were: ${codecs.join(', ')}`);
}

function within(name: string, value: number, low: number, high: number): number {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return value;
  throw new LsmError('invalid', `${name} is a whole number from ${low} to ${high}, not ${value}`);
}
