// What can go wrong with a connection as a whole, or with what its owner asks of it.
import { CodedError, type CodedErrorOptions } from '@distrokv/base';
import { type ErrorCode, errorName } from './codes.ts';

/**
 * - `protocol`: the peer broke the protocol, or a limit of ours; `wire` is the code of the GOAWAY we sent.
 * - `goaway`: the peer said GOAWAY with an error; `wire` is its code.
 * - `disconnected`: the socket went away with the connection in use.
 * - `timeout`: the peer did not answer in time (preface, SETTINGS, keepalive).
 * - `closed`: the owner closed it.
 * - `bad-headers`: a header list of the owner's that cannot be sent.
 * - `bad-options`: options that make no sense.
 */
export type Http2ErrorCode = 'bad-headers' | 'bad-options' | 'closed' | 'disconnected' | 'goaway' | 'protocol' | 'timeout';

export class Http2Error extends CodedError<Http2ErrorCode> {
  /** The HTTP/2 error code that goes with it. */
  readonly wire: ErrorCode;

  constructor(code: Http2ErrorCode, wire: ErrorCode, message: string, options?: CodedErrorOptions) {
    super(code, message, options);
    this.wire = wire;
  }

  /** A connection error (RFC 9113 §5.4.1) that the peer caused. */
  static protocol(wire: ErrorCode, message: string): Http2Error {
    return new Http2Error('protocol', wire, `${errorName(wire)}: ${message}`);
  }
}
