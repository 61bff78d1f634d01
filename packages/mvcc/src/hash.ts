// A checksum of what a store holds, to find out whether members are equal. It covers the keys as of the compaction, and then every change since, in
// order. (etcd hashes its own files' records: its values cannot be compared with these.)
import { crc32Pure } from '@distrokv/base';
import type { Keyspace } from '@distrokv/lsm';
import type { History } from './history.ts';
import { StepWork, type Steps } from './steps.ts';

export interface StoreHash {
  readonly hash: number;
  /** Up to where the store was compacted; -1: never. */
  readonly compactRevision: number;
  readonly hashRevision: number;
}

const PER_STEP = 256;

/** As of revision `to`; the history reaches back to `from`. */
export function* hashStore(kv: Keyspace, history: History, { from, to }: { readonly from: number; readonly to: number }): Steps<number> {
  let hash = 0;
  const add = (key: Uint8Array, version: number, value: Uint8Array | undefined): void => {
    const head = Buffer.alloc(17);
    head.writeBigUInt64BE(BigInt(version), 0);
    head.writeUInt32BE(key.length, 8);
    head.writeInt32BE(value?.length ?? -1, 12);
    hash = crc32Pure(key, crc32Pure(head, hash));
    if (value) hash = crc32Pure(value, hash);
  };
  if (from > 0) {
    const work = new StepWork();
    const keys = kv.iterator({ at: from, patient: true });
    try {
      for (let has = keys.advance(); has !== false; has = keys.advance()) {
        if (has === true) add(keys.key, keys.version, keys.value);
        if (has !== true) yield has;
        else if (work.add(keys.value.length)) yield;
      }
    } finally {
      keys.close();
    }
  }
  for (let next = Math.max(1, from + 1); next <= to;) {
    next = history.read({ from: next, to: Math.min(to, next + PER_STEP), maxCost: PER_STEP }, ({ key, revision }) => {
      const found = kv.getEntrySync(key, revision);
      add(key, revision, found?.version === revision ? found.value : undefined);
      return 1;
    });
    yield;
  }
  return hash;
}
