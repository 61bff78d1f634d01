// Where a peer listens, as it is dialled.
import { parseEndpointUrl } from '../config.ts';

/** "http://host:port" of a peer as "host:port". Throws ServerError `invalid-config`. */
export function targetOf(url: string): string {
  const { host, port } = parseEndpointUrl(url, 'a peer URL');
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
