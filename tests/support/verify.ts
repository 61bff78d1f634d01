// Judging a cluster after the fact: are all members equal, and is everything there that was promised?
import assert from 'node:assert/strict';
import { fromUtf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Api } from './api.ts';
import type { Writers } from './writers.ts';

/** Asserts that every member has the same keys, byte for byte and with the same revisions; returns them by key. */
export async function equalContents(endpoints: readonly string[]): Promise<Map<string, string>> {
  const contents: Buffer[] = [];
  let keys: Map<string, string> | undefined;
  for (const endpoint of endpoints) {
    using api = new Api(endpoint);
    await api.range({ key: Uint8Array.of(0) }); // linearizable: from now on this member has everything
    const all = await api.all({ serializable: true });
    contents.push(
      Buffer.from(pb.RangeResponse.encode({ ...all, header: pb.ResponseHeader.create({ revision: all.header?.revision ?? 0 }) })),
    );
    keys ??= new Map(all.kvs.map((kv) => [fromUtf8(kv.key), fromUtf8(kv.value)]));
  }
  for (const other of contents) assert.ok(other.equals(contents[0] as Buffer), 'all members have the same contents, byte for byte');
  return keys as Map<string, string>;
}

/** Asserts that what was acknowledged is there, and that nothing is there that nobody wrote. */
export function nothingLost(contents: ReadonlyMap<string, string>, writers: readonly Writers[]): void {
  const tried = new Map<string, string>();
  for (const { acknowledged, unknown } of writers) {
    for (const [key, value] of acknowledged) assert.equal(contents.get(key), value, `${key} was acknowledged`);
    for (const [key, value] of [...acknowledged, ...unknown]) tried.set(key, value);
  }
  for (const [key, value] of contents) assert.equal(value, tried.get(key), `${key} has the value that was written`);
}

/** The member that the others follow, as its place in `endpoints`. */
export async function leaderOf(endpoints: readonly string[]): Promise<number> {
  const statuses = await Promise.all(
    endpoints.map(async (endpoint) => {
      using api = new Api(endpoint);
      return await api.status();
    }),
  );
  return statuses.findIndex((status) => status.header?.memberId === status.leader);
}
