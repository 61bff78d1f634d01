// An explicit snapshot: the engine's, kept by abstract-level for as long as somebody reads from it.
import type { Keyspace, Snapshot } from '@distrokv/lsm';
import { AbstractSnapshot } from 'abstract-level';
import { after } from './range.ts';

export interface SnapshotOptions {
  /** The database that closes it at its own end. */
  readonly owner: object;
}

/** The class as it is in JavaScript: its types leave the constructor's options out. */
const Base = AbstractSnapshot as new (options: SnapshotOptions) => AbstractSnapshot;

export class DistroSnapshot extends Base {
  readonly snapshot: Snapshot;

  constructor(snapshot: Snapshot, options: SnapshotOptions) {
    super(options);
    this.snapshot = snapshot;
  }

  get(keyspace: Keyspace, key: Uint8Array): Uint8Array | undefined {
    const iterator = keyspace.iterator({ gte: key, lt: after(key), snapshot: this.snapshot });
    try {
      return iterator.next() ? iterator.value.slice() : undefined;
    } finally {
      iterator.close();
    }
  }

  async _close(): Promise<void> {
    this.snapshot.close();
  }
}
