// `http2`: HTTP/2 for server and client, without a socket. The contract is in types.ts.
export type {
  ClientConnection,
  Connection,
  ConnectionHandler,
  HeaderList,
  PeerSettings,
  SharedNuisance,
  Stream,
  StreamReset,
} from './types.ts';
export type { ConnectionOptions } from './options.ts';
export { ErrorCode, errorName, startsLikeHttp2 } from './codes.ts';
export { HeaderBlock } from './header-block.ts';
export { Http2Error, type Http2ErrorCode } from './errors.ts';
export { createClientConnection, createServerConnection } from './connection.ts';
