// A client of `proto.KVService`, the interface of DistroKV's ancestor: three calls on text keys, one endpoint.
import { kvservice } from '@distrokv/proto';
import { ClientError } from './errors.ts';
import { createPool, type PoolOptions } from './pool.ts';
import { type BytesLike, toBytes } from './ranges.ts';

/** Every call rejects with a `ClientError`. */
export interface KvServiceClient extends AsyncDisposable {
  put(key: string, value: BytesLike): Promise<void>;
  /** The value, or undefined if there is no such key. Linearizable. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** No error if there is no such key. */
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

export function createKvServiceClient(options: PoolOptions): KvServiceClient {
  const pool = createPool(options);
  const { methods } = kvservice.KVService;
  const close = async (): Promise<void> => pool.close();
  return {
    async put(key, value) {
      accepted(await pool.call(methods.put, kvservice.PutRequest.create({ key, value: toBytes(value) }), 'write', {}));
    },
    async get(key) {
      const response = await pool.call(methods.get, kvservice.GetRequest.create({ key }), 'read', {});
      return response.found ? response.value : undefined;
    },
    async delete(key) {
      accepted(await pool.call(methods.delete, kvservice.DeleteRequest.create({ key }), 'write', {}));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** This service has no words for a refusal, only a flag. */
function accepted({ success }: { readonly success: boolean }): void {
  if (!success) throw new ClientError('refused', 'the server did not accept the write');
}
