// The error of the network. Both bindings build it here, so that a failure reads the same on a wire and in memory.
import { CodedError, type CodedErrorOptions } from '@distrokv/base';
import type { NetErrorCode } from './net.ts';

/** A connection or a listener that failed; the message is one line without the address, which the caller knows how to tell. */
export class NetError extends CodedError<NetErrorCode> {
  constructor(code: NetErrorCode, message: string = reasons[code], options: CodedErrorOptions = {}) {
    super(code, message, options);
  }
}

const reasons: Readonly<Record<NetErrorCode, string>> = {
  'address-in-use': 'the address is in use',
  'address-not-available': 'not an address of this machine',
  permission: 'not permitted',
  refused: 'connection refused',
  unresolved: 'the host name does not resolve',
  unreachable: 'no route to the host',
  'timed-out': 'the connection timed out',
  reset: 'connection reset by the other side',
  tls: 'the TLS handshake failed',
  aborted: 'given up',
  os: 'the operating system refused',
};
