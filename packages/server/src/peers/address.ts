// Where a peer listens, and how it is dialled.
import { type ClientTls, type Env, hostAndPort } from '@distrokv/env';
import { type Channel, createChannel } from '@distrokv/grpc';
import { parseEndpointUrl } from '../config.ts';

const SECURE = 'https://';

/** "http://host:port" of a peer as "host:port"; https stays in front. Throws ServerError `invalid-config`. */
export function targetOf(url: string): string {
  const { host, port, isSecure } = parseEndpointUrl(url, 'a peer URL');
  return `${isSecure ? SECURE : ''}${hostAndPort(host, port)}`;
}

export interface DialOptions {
  readonly env: Env;
  readonly maxReceiveBytes?: number;
  /** What this member shows to those whose URLs say https. */
  readonly tls: () => Omit<ClientTls, 'protocols'> | undefined;
}

/** A channel to a target. */
export function dial(target: string, { env, maxReceiveBytes, tls }: DialOptions): Channel {
  const limit = maxReceiveBytes === undefined ? {} : { maxReceiveBytes };
  if (!target.startsWith(SECURE)) return createChannel(target, { env, ...limit });
  return createChannel(target.slice(SECURE.length), { env, ...limit, tls: tls() ?? {} });
}
