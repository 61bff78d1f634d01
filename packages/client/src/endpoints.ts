// Addresses of servers as people write them: "host:port", with or without "http://" or "https://", as etcd's clients take them.
import { ClientError } from './errors.ts';

export interface Endpoint {
  /** "host:port", IPv6 in brackets. */
  readonly target: string;
  /** What its scheme says of TLS; undefined without one. */
  readonly isSecure: boolean | undefined;
}

/** Throws ClientError `invalid-endpoint`. */
export function readEndpoint(text: string): Endpoint {
  const fault = (why: string): ClientError => new ClientError('invalid-endpoint', `endpoint ${JSON.stringify(text)} ${why}`);
  const match = /^(?:([a-z]+):\/\/)?(\[[0-9a-fA-F:.%]+\]|[^:/?#[\]\s]+):(\d{1,5})\/?$/.exec(text.trim());
  if (!match) throw fault('is not of the form HOST:PORT');
  const [, scheme, host, port] = match as unknown as [string, string | undefined, string, string];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') throw fault('has an unknown scheme: use http or https');
  if (Number(port) < 1 || Number(port) > 65_535) throw fault('has a port outside 1 to 65535');
  return { target: `${host}:${Number(port)}`, isSecure: scheme === undefined ? undefined : scheme === 'https' };
}

/** The target of an endpoint: "host:port". Throws ClientError `invalid-endpoint`. */
export function parseEndpoint(text: string): string {
  return readEndpoint(text).target;
}
