// Whether a port can be taken, asked before anything is started or written.
import { createServer } from 'node:net';

export async function isPortFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `start` on, loopback only; undefined when a hundred are taken. */
export async function firstFreePort(start: number): Promise<number | undefined> {
  for (let port = start; port < Math.min(start + 100, 65_536); port++) if (await isPortFree(port, '127.0.0.1')) return port;
  return undefined;
}
