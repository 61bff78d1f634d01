// A snapshot on the wire (docs/04-wire.md): the sender offers files, the receiver asks for their pieces one after the other, at its own pace,
// on a stream of its own beside the appends. What it has already, from an attempt that broke off, it does not ask for.
import { type MemberId, messageOf } from '@distrokv/base';
import { type Channel, GrpcError, type ServerStream } from '@distrokv/grpc';
import { peer as pb } from '@distrokv/proto';
import type { PeerOptions, SnapshotSource } from '../transport.ts';

/** Most bytes of one piece. */
const MAX_PIECE_BYTES = 1 << 20;
/** Files of a store: more are no snapshot. */
const MAX_FILES = 1_000_000;

/** Offers a snapshot and serves its pieces until the receiver is done. Returns the entry up to which that has everything. Rejects with GrpcError. */
export async function offerSnapshot(channel: Channel, hello: pb.PeerHello, source: SnapshotSource): Promise<number> {
  const stream = channel.stream(pb.Peer.methods.snapshot);
  const empty = new Uint8Array(0);
  stream.send({ offer: { hello, id: source.id, files: [...source.files] }, data: empty });
  try {
    for await (const request of stream.responses) {
      if (request.done) return request.index;
      const data = await source.read(request.file, request.offset, Math.min(request.length, MAX_PIECE_BYTES));
      if (!stream.send({ offer: undefined, data })) await stream.writable();
    }
  } finally {
    stream.cancel();
  }
  throw new GrpcError('unavailable', 'the peer ended the stream of a snapshot');
}

/** The other side: hands on what is offered, and says when it is done. */
export async function receiveSnapshot(
  stream: ServerStream<pb.SnapshotFrame, pb.SnapshotRequest>,
  checkHello: (hello: pb.PeerHello | undefined) => MemberId,
  onSnapshot: PeerOptions['onSnapshot'],
): Promise<void> {
  const frames = stream.requests[Symbol.asyncIterator]();
  const next = async (): Promise<pb.SnapshotFrame> => {
    const frame = await frames.next();
    if (frame.done === true) throw new GrpcError('cancelled', 'the stream of a snapshot broke off');
    return frame.value;
  };
  const { offer } = await next();
  checkHello(offer?.hello);
  if (!offer || offer.files.length > MAX_FILES) throw new GrpcError('invalid-argument', 'a stream of a snapshot begins with an offer');
  const read = async (file: number, offset: number, length: number): Promise<Uint8Array> => {
    const asked = Math.min(length, MAX_PIECE_BYTES);
    stream.send({ file, offset, length: asked, done: false, index: 0 });
    const { data } = await next();
    if (data.length > asked) throw new GrpcError('invalid-argument', 'a piece of a snapshot is larger than what was asked for');
    return data;
  };
  try {
    const index = await onSnapshot({ id: offer.id, files: offer.files, read });
    stream.send({ file: 0, offset: 0, length: 0, done: true, index });
  } catch (error) {
    throw error instanceof GrpcError ? error : new GrpcError('internal', messageOf(error), { cause: error });
  }
}
