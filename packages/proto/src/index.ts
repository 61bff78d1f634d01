// `proto`: the messages and services of the wire. Each protobuf package is a group of its own, since names repeat
// between them: `etcdserverpb.PutRequest` is both the type of a message and what encodes and decodes it.
export type * from './message.ts';
export * from './errors.ts';
export { fileDescriptors, type FileDescriptor } from './generated/descriptors.ts';
export * as authpb from './generated/auth.ts';
export * as health from './generated/health.ts';
export * as mvccpb from './generated/kv.ts';
export * as kvservice from './generated/kvservice.ts';
export * as peer from './generated/peer.ts';
export * as reflection from './generated/reflection.ts';
export * as etcdserverpb from './generated/rpc.ts';
export * as v3electionpb from './generated/v3election.ts';
export * as v3lockpb from './generated/v3lock.ts';
