// The command line client of DistroKV's ancestor: `distrokv client -addr localhost:50051 -op put -key K -val V`, over its own
// service and with its own words, mark and colour.
import { fromUtf8 } from '@distrokv/base';
import { ClientError, createKvServiceClient, type KvServiceClient } from '@distrokv/client';
import picocolors from 'picocolors';
import { CommandError, usage } from '../errors.ts';
import { type Host, usesColour } from '../host.ts';
import { advise } from './explain.ts';

export interface AncestorFlags {
  readonly addr: string;
  readonly op?: string;
  readonly key?: string;
  readonly val?: string;
}

type Operation = 'put' | 'get' | 'delete';

export async function runAncestorClient(host: Host, flags: AncestorFlags): Promise<void> {
  const operation = (['put', 'get', 'delete'] as const).find((one) => one === flags.op);
  if (!operation)
    throw usage(`-op: ${flags.op === undefined ? 'say put, get or delete' : `${JSON.stringify(flags.op)} is none of put, get, delete`}`);
  if (!flags.key) throw usage('-key: say which key');
  const colour = usesColour(host.stdout, host.env);
  const client = createKvServiceClient({ endpoints: [flags.addr] });
  try {
    host.stdout.write(`${await perform(client, operation, flags.key, flags.val ?? '', colour)}\n`);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new CommandError('failed', `${operation.toUpperCase()} failed: ${advise(error)}`, { cause: error });
  } finally {
    await client.close();
  }
}

async function perform(client: KvServiceClient, operation: Operation, key: string, value: string, colour: boolean): Promise<string> {
  const paint = picocolors.createColors(colour);
  const done = paint.green('✓');
  switch (operation) {
    case 'put':
      await client.put(key, value);
      return `${done} PUT ${key} = ${JSON.stringify(value)}`;
    case 'get': {
      const found = await client.get(key);
      if (found === undefined) return `${paint.red('✗')} GET ${key} → not found`;
      return `${done} GET ${key} → ${JSON.stringify(fromUtf8(found))}`;
    }
    case 'delete':
      await client.delete(key);
      return `${done} DELETE ${key}`;
  }
}
