// Addresses of servers as people write them: "host:port", with or without "http://", as etcd's clients take them.
import { ClientError } from './errors.ts';

/** Reads one endpoint; the answer is "host:port", IPv6 in brackets. Throws ClientError `invalid-endpoint`. */
export function parseEndpoint(text: string): string {
  const fault = (why: string): ClientError => new ClientError('invalid-endpoint', `endpoint ${JSON.stringify(text)} ${why}`);
  const match = /^(?:([a-z]+):\/\/)?(\[[0-9a-fA-F:.%]+\]|[^:/?#[\]\s]+):(\d{1,5})\/?$/.exec(text.trim());
  if (!match) throw fault('is not of the form HOST:PORT');
  const [, scheme = 'http', host, port] = match as unknown as [string, string | undefined, string, string];
  if (scheme === 'https') throw fault('asks for TLS, which this version does not have yet: use http');
  if (scheme !== 'http') throw fault('has an unknown scheme: use http');
  if (Number(port) < 1 || Number(port) > 65_535) throw fault('has a port outside 1 to 65535');
  return `${host}:${Number(port)}`;
}
