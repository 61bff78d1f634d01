// A header list that is sent again and again. Each connection encodes it once and then copies bytes, as long as its table stays as it is.
import { checkHeaders } from './header-rules.ts';
import type { HeaderList } from './types.ts';

export class HeaderBlock {
  readonly list: HeaderList;

  /** Throws Http2Error `bad-headers` if a name or value is malformed. */
  constructor(list: HeaderList) {
    checkHeaders(list);
    this.list = [...list];
  }
}
