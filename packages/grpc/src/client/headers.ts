// The headers of the calls of one channel. Calls of one method with one time-out have the same, and share one block.
import { HeaderBlock } from '@distrokv/http2';
import { ACCEPT_ENCODING } from '../wire/compression.ts';
import { formatTimeout } from '../wire/timeout.ts';

const MAX_BLOCKS = 256;
const USER_AGENT = 'grpc-typescript-distrokv/0.1.0';

export class RequestHeaders {
  readonly #authority: string;
  readonly #scheme: 'http' | 'https';
  readonly #blocks = new Map<string, Map<number, HeaderBlock>>();
  #count = 0;

  constructor(authority: string, scheme: 'http' | 'https') {
    this.#authority = authority;
    this.#scheme = scheme;
  }

  /** `timeoutMs`: Infinity for none. */
  of(path: string, timeoutMs: number): HeaderBlock {
    const known = this.#blocks.get(path)?.get(timeoutMs);
    if (known !== undefined) return known;
    const block = new HeaderBlock([
      ...[':method', 'POST', ':scheme', this.#scheme, ':path', path, ':authority', this.#authority],
      ...['te', 'trailers', 'content-type', 'application/grpc', 'user-agent', USER_AGENT],
      ...['grpc-accept-encoding', ACCEPT_ENCODING],
      ...(timeoutMs === Infinity ? [] : ['grpc-timeout', formatTimeout(timeoutMs)]),
    ]);
    if (++this.#count > MAX_BLOCKS) {
      this.#blocks.clear();
      this.#count = 1;
    }
    let ofPath = this.#blocks.get(path);
    if (ofPath === undefined) this.#blocks.set(path, (ofPath = new Map()));
    ofPath.set(timeoutMs, block);
    return block;
  }
}
