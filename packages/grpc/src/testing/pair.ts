// A server on a free port of this machine, and a channel to it; both gone when the test is over.
import type { TestContext } from 'node:test';
import { createChannel, createServer } from '../index.ts';
import type { Channel, ChannelOptions, Handlers, Server, ServerOptions } from '../types.ts';
import { Echo } from './services.ts';

export interface Pair {
  readonly server: Server;
  readonly channel: Channel;
  readonly port: number;
  /** What handlers threw that was no GrpcError. */
  readonly unexpected: unknown[];
}

export async function createPair(
  t: TestContext,
  handlers: Handlers<typeof Echo>,
  options: { readonly server?: ServerOptions; readonly channel?: ChannelOptions } = {},
): Promise<Pair> {
  const unexpected: unknown[] = [];
  const server = createServer({ onUnexpectedError: (error) => unexpected.push(error), ...options.server });
  server.addService(Echo, handlers);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`, options.channel);
  t.after(async () => {
    channel.close();
    await server.close({ graceMs: 0 });
  });
  return { server, channel, port, unexpected };
}

/** All of a stream, in order. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of stream) out.push(item);
  return out;
}

/** A promise to be resolved from elsewhere: how tests wait for an event without a clock. */
export function signalled<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
