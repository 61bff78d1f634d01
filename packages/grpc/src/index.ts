// `grpc`: remote calls, on both sides. What carries them is this package's own business.
export type * from './types.ts';
export { GrpcError, StatusCode, type StatusName } from './status.ts';
export { createChannel } from './grpc-js/channel.ts';
export { createServer } from './grpc-js/server.ts';
