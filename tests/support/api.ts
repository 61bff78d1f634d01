// The etcd API as the tests call it, over the project's own gRPC client.
import { utf8 } from '@distrokv/base';
import { type CallOptions, type Channel, createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';

export class Api implements Disposable {
  readonly #channel: Channel;

  constructor(endpoint: string) {
    this.#channel = createChannel(endpoint);
  }

  put(key: string, value: string, options?: CallOptions): Promise<pb.PutResponse> {
    return this.#channel.unary(pb.KV.methods.put, pb.PutRequest.create({ key: utf8(key), value: utf8(value) }), options);
  }

  range(fields: Partial<pb.RangeRequest>, options?: CallOptions): Promise<pb.RangeResponse> {
    return this.#channel.unary(pb.KV.methods.range, pb.RangeRequest.create(fields), options);
  }

  /** Every key with its revisions, as this member has them. */
  all(options: { readonly serializable: boolean }): Promise<pb.RangeResponse> {
    return this.range({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), ...options });
  }

  status(options?: CallOptions): Promise<pb.StatusResponse> {
    return this.#channel.unary(pb.Maintenance.methods.status, pb.StatusRequest.create(), options);
  }

  moveLeader(targetID: bigint): Promise<pb.MoveLeaderResponse> {
    return this.#channel.unary(pb.Maintenance.methods.moveLeader, pb.MoveLeaderRequest.create({ targetID }));
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
