// A header list that is sent again and again. Each connection encodes it once and then copies bytes, as long as its table stays as it is.
import { checkHeaders } from './header-rules.ts';
import { FIELD_OVERHEAD } from './hpack-static.ts';
import type { HeaderList } from './types.ts';

export class HeaderBlock {
  readonly list: HeaderList;
  /** Bytes of names and values, and 32 for each field (RFC 9113 §6.5.2). */
  readonly listBytes: number;

  /** Throws Http2Error `bad-headers` if a name or value is malformed. */
  constructor(list: HeaderList) {
    checkHeaders(list);
    this.list = [...list];
    this.listBytes = list.join('').length + (list.length / 2) * FIELD_OVERHEAD;
  }
}
