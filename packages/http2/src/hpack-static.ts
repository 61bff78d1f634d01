// The static table of HPACK (RFC 7541 Appendix A), and what both directions of HPACK share.

/** What a field counts in the dynamic table and in a list's size beyond its bytes (RFC 7541 §4.1). */
export const FIELD_OVERHEAD = 32;
/** SETTINGS_HEADER_TABLE_SIZE before anybody said anything (RFC 9113 §6.5.2). */
export const INITIAL_TABLE_BYTES = 4096;

// prettier-ignore
const table: readonly string[] = [
  ':authority', '', ':method', 'GET', ':method', 'POST', ':path', '/', ':path', '/index.html', ':scheme', 'http', ':scheme', 'https',
  ':status', '200', ':status', '204', ':status', '206', ':status', '304', ':status', '400', ':status', '404', ':status', '500',
  'accept-charset', '', 'accept-encoding', 'gzip, deflate', 'accept-language', '', 'accept-ranges', '', 'accept', '',
  'access-control-allow-origin', '', 'age', '', 'allow', '', 'authorization', '', 'cache-control', '', 'content-disposition', '',
  'content-encoding', '', 'content-language', '', 'content-length', '', 'content-location', '', 'content-range', '', 'content-type', '',
  'cookie', '', 'date', '', 'etag', '', 'expect', '', 'expires', '', 'from', '', 'host', '', 'if-match', '', 'if-modified-since', '',
  'if-none-match', '', 'if-range', '', 'if-unmodified-since', '', 'last-modified', '', 'link', '', 'location', '', 'max-forwards', '',
  'proxy-authenticate', '', 'proxy-authorization', '', 'range', '', 'referer', '', 'refresh', '', 'retry-after', '', 'server', '',
  'set-cookie', '', 'strict-transport-security', '', 'transfer-encoding', '', 'user-agent', '', 'vary', '', 'via', '',
  'www-authenticate', '',
];

/** Index 1 is at [1]. */
export const staticNames: readonly string[] = ['', ...table.filter((_, i) => i % 2 === 0)];
export const staticValues: readonly string[] = ['', ...table.filter((_, i) => i % 2 === 1)];
export const STATIC_FIELDS: number = table.length / 2;
