// A channel of ours to a server of Node's.
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createChannel } from '../index.ts';
import type { Channel } from '../types.ts';

/** Lets the server listen on a free port of this machine; both are gone when the test is over. */
export async function channelToServer(t: TestContext, server: Http2Server): Promise<Channel> {
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const channel = createChannel(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    channel.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  return channel;
}
