// The keyspaces of the engine that the store lives in, and the one writer to them.
import type { Engine, Keyspace, KeyspaceOptions, UnloggedWriter } from '@distrokv/lsm';

/** What the engine must be opened with. Byte by byte in docs/format/store.md. */
export const storeKeyspaces: readonly KeyspaceOptions[] = [
  /** User key, revision → record. */
  { name: 'kv', versions: 'caller' },
  /** Revision and place in it → the keys that changed from there on: history in the order of time. */
  { name: 'changes', versions: 'latest' },
  /** State, members, alarms. */
  { name: 'meta', versions: 'latest' },
  /** Lease → its time to live and when it ends. */
  { name: 'leases', versions: 'latest' },
  /** Lease, user key → nothing: which keys go with a lease. */
  { name: 'lease-keys', versions: 'latest' },
];

export interface StoreKeyspaces {
  readonly kv: Keyspace;
  readonly changes: Keyspace;
  readonly meta: Keyspace;
  readonly leases: Keyspace;
  readonly leaseKeys: Keyspace;
  readonly writer: UnloggedWriter;
}

export function keyspacesOf(engine: Engine): StoreKeyspaces {
  return {
    kv: engine.keyspace('kv'),
    changes: engine.keyspace('changes'),
    meta: engine.keyspace('meta'),
    leases: engine.keyspace('leases'),
    leaseKeys: engine.keyspace('lease-keys'),
    writer: engine.unlogged(),
  };
}
