// `grpc`: remote calls, on both sides, over our own HTTP/2.
export type * from './types.ts';
export { GrpcError, StatusCode, type StatusName } from './status.ts';
export { createChannel } from './client/channel.ts';
export { createServer } from './server/server.ts';
export { addReflection } from './server/reflection.ts';
export { frame as framed } from './wire/framing.ts';
