// lock and elect: held until the command is stopped, or for as long as a program runs.
import { fromUtf8 } from '@distrokv/base';
import { type Client, ClientError, type Held } from '@distrokv/client';
import { CommandError, usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Globals, withClient } from './globals.ts';
import { wholeNumber } from './kv.ts';
import { aborted, stopSignal } from './stopping.ts';

export async function runLock(host: Host, globals: Globals, words: readonly string[], flags: { ttl?: string }): Promise<void> {
  const [name, ...rest] = words;
  if (name === undefined) throw usage('lock needs the name of a lock');
  const [program, ...args] = rest[0] === '--' ? rest.slice(1) : rest;
  const signal = stopSignal(host);
  await withClient(globals, 'simple', async (client) => {
    await using held = await client.lock(name, { ttl: wholeNumber(flags.ttl ?? '60', '--ttl'), signal });
    if (program === undefined) {
      host.stdout.write(`${fromUtf8(held.key)}\n`);
      await untilLost(held, signal);
      return;
    }
    const variables = { ETCD_LOCK_KEY: fromUtf8(held.key), ETCD_LOCK_REV: String(held.revision) };
    const code = await host.run([program, ...args], variables);
    if (code !== 0) throw new CommandError('failed', `${program} ended with exit code ${code}`);
  });
}

export async function runElect(
  host: Host,
  globals: Globals,
  name: string,
  value: string | undefined,
  flags: { listen?: true; ttl?: string },
): Promise<void> {
  const signal = stopSignal(host);
  await withClient(globals, 'simple', async (client) => {
    if (flags.listen) return listen(host, client, name, signal);
    if (value === undefined) throw usage('elect needs a name and a value, or --listen and a name');
    await using held = await client.elect(name, value, { ttl: wholeNumber(flags.ttl ?? '60', '--ttl'), signal });
    host.stdout.write(`${fromUtf8(held.key)}\n${value}\n`);
    await untilLost(held, signal);
  });
}

async function listen(host: Host, client: Client, name: string, signal: AbortSignal): Promise<void> {
  for await (const { key, value } of client.observe(name, { signal })) {
    host.stdout.write(`${fromUtf8(key)}\n`);
    host.stdout.write(value);
    host.stdout.write('\n');
  }
}

async function untilLost(held: Held, signal: AbortSignal): Promise<void> {
  await aborted(AbortSignal.any([held.signal, signal]));
  if (!signal.aborted)
    throw held.signal.reason instanceof ClientError ? held.signal.reason : new ClientError('lost', 'it is held no longer');
}
