// Replicas that have applied the same entries hold the same store: every change in it, and every key at every revision.
import type { Storage } from '@distrokv/server';
import { Violation } from '../violation.ts';

export function judgeReplicas(replicas: readonly { readonly name: string; readonly storage: Storage }[]): string {
  const [first, ...others] = replicas;
  if (!first) return '';
  const expected = contentHash(first.storage);
  for (const { name, storage } of others) {
    const { appliedIndex } = storage.store.state;
    const { appliedIndex: firstApplied } = first.storage.store.state;
    if (appliedIndex !== firstApplied)
      throw new Violation('replicas', `${name} has applied ${appliedIndex} entries, ${first.name} ${firstApplied}`);
    const hash = contentHash(storage);
    if (hash !== expected)
      throw new Violation(
        'replicas',
        `${name} and ${first.name} have applied the same ${appliedIndex} entries and differ: ${hash}, ${expected}`,
      );
  }
  return expected;
}

function contentHash({ engine, store }: Storage): string {
  let hash = 0x811c9dc5;
  const mix = (bytes: Uint8Array): void => {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    hash = Math.imul(hash ^ bytes.length, 0x01000193);
  };
  // What is in which record of the history is a matter of the log, too.
  for (const name of ['changes', 'meta', 'leases', 'lease-keys'] as const) {
    const found = engine.keyspace(name).iterator();
    try {
      while (found.next()) {
        mix(found.key);
        mix(found.value);
      }
    } finally {
      found.close();
    }
  }
  const steps = store.reads.hash(0);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return `${step.value.hash.toString(16)}.${(hash >>> 0).toString(16).padStart(8, '0')}@${store.state.revision}`;
}
