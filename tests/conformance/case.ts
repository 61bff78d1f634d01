// What a conformance case is: one sentence about the etcd API, and the calls that show whether it holds.
import assert from 'node:assert/strict';
import { GrpcError, type StatusName } from '@distrokv/grpc';
import type { EtcdApi } from './etcd-api.ts';

export interface Case {
  readonly sentence: string;
  /** The version of etcd that brought it, as in "3.5". */
  readonly since?: string;
  /** Why etcd itself answers otherwise, on purpose of ours (docs/06-server.md lists these): not held against a real one. */
  readonly differs?: string;
  /** `p` begins all keys of the case, and no other case's. */
  run(api: EtcdApi, p: string): Promise<void>;
}

/** The status and the text that clients match on, without the "etcdserver: " in front. */
export async function refused(call: Promise<unknown>, status: StatusName, text: string): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof GrpcError, String(error));
    assert.deepEqual([error.code, error.message], [status, `etcdserver: ${text}`]);
    return true;
  });
}
