// The options of the model test. Each sequence begins with one of eight sets, and comes back to it; in between the store is opened with others, drawn at
// random, for a store must not depend on the options with which it was written.
import type { Random } from '@distrokv/base';
import { isAvailable } from '../codec.ts';
import type { Codec, EngineOptions, WalMode } from '../engine.ts';

export type SmallOptions = Required<
  Pick<EngineOptions, 'memtableBytes' | 'blockCacheBytes' | 'blockBytes' | 'mergeFanIn' | 'codecs' | 'maxOpenFiles'>
>;

export interface OptionSet {
  readonly name: string;
  /** The same for the whole of a sequence: it says what a crash may take. */
  readonly wal: WalMode;
  readonly options: SmallOptions;
}

const ordinary: SmallOptions = {
  memtableBytes: 4096,
  blockCacheBytes: 1 << 20,
  blockBytes: 256,
  mergeFanIn: 4,
  codecs: ['none'],
  maxOpenFiles: 2048,
};

/** Where the runtime has none the block stays as it is. */
const zstd: Codec = isAvailable('zstd') ? 'zstd' : 'none';

export const optionSets: readonly OptionSet[] = [
  { name: 'ordinary', wal: 'sync', options: ordinary },
  {
    name: 'everything tiny',
    wal: 'sync',
    options: { ...ordinary, memtableBytes: 1024, blockCacheBytes: 2000, blockBytes: 64, mergeFanIn: 1 },
  },
  { name: 'lz4, nothing cached', wal: 'sync', options: { ...ordinary, blockCacheBytes: 0, mergeFanIn: 2, codecs: ['lz4'] } },
  { name: 'log not synced, one open file', wal: 'nosync', options: { ...ordinary, blockCacheBytes: 2000, maxOpenFiles: 1 } },
  { name: 'log not synced, zstd', wal: 'nosync', options: { ...ordinary, memtableBytes: 8192, blockBytes: 512, codecs: ['none', zstd] } },
  { name: 'log not synced, many runs', wal: 'nosync', options: { ...ordinary, memtableBytes: 1024, mergeFanIn: 16 } },
  { name: 'no log, large memtables', wal: 'none', options: { ...ordinary, memtableBytes: 16 << 10, blockBytes: 4096, mergeFanIn: 1 } },
  { name: 'no log, deflate', wal: 'none', options: { ...ordinary, blockCacheBytes: 2000, mergeFanIn: 2, codecs: ['lz4', 'deflate'] } },
];

/** Deflate and zstd take the most time of all, so they come seldom. */
const quickCodecs: readonly (readonly Codec[])[] = [['none'], ['lz4']];
const slowCodecs: readonly (readonly Codec[])[] = [['lz4', 'deflate'], [zstd], ['deflate', 'none', zstd]];

export function drawOptions(random: Random): SmallOptions {
  return {
    memtableBytes: 1024 << random.below(5),
    blockCacheBytes: oneOf(random, [0, 2000, 1 << 20]),
    blockBytes: 64 << random.below(4),
    mergeFanIn: random.between(1, 4),
    codecs: oneOf(random, random.chance(0.1) ? slowCodecs : quickCodecs),
    maxOpenFiles: random.chance(0.2) ? random.between(1, 4) : 2048,
  };
}

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}
