// An explicit snapshot: the engine's, kept by abstract-level for as long as somebody reads from it.
import type { Snapshot } from '@distrokv/lsm';
import { AbstractSnapshot } from 'abstract-level';

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

  async _close(): Promise<void> {
    this.snapshot.close();
  }
}
