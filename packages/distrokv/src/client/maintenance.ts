// compaction, alarm, defrag and endpoint hashkv, in etcdctl's words.
import { type Client, ClientError, etcdserverpb as pb } from '@distrokv/client';
import { CommandError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Shown } from '../output/record.ts';
import { explain } from './explain.ts';
import { type Globals, withClient } from './globals.ts';
import { wholeNumber } from './kv.ts';

export async function runCompaction(host: Host, globals: Globals, revision: string, flags: { physical?: true }): Promise<void> {
  const at = wholeNumber(revision, 'REVISION');
  await withClient(globals, 'simple', async (client, format) => {
    const { header } = await client.compact(at, { physical: flags.physical ?? false });
    host.stdout.write(format.record({ text: `compacted revision ${at}\n`, header, fields: [] }));
  });
}

export async function runAlarmList(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, 'simple', async (client, format) => {
    const { header, alarms } = await client.alarms();
    host.stdout.write(format.record(shownAlarms(header, alarms)));
  });
}

/** Each of those that are on, one after the other, as etcdctl does: the server takes no "all". */
export async function runAlarmDisarm(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, 'simple', async (client, format) => {
    const { alarms } = await client.alarms();
    for (const alarm of alarms) {
      const { header, alarms: gone } = await client.disarm(alarm);
      host.stdout.write(format.record(shownAlarms(header, gone)));
    }
  });
}

function shownAlarms(header: pb.ResponseHeader | undefined, alarms: readonly pb.AlarmMember[]): Shown {
  const name = (alarm: number): string =>
    alarm === pb.AlarmType.NOSPACE ? 'NOSPACE' : alarm === pb.AlarmType.CORRUPT ? 'CORRUPT' : String(alarm);
  const text = alarms.map(({ memberID, alarm }) => `memberID:${memberID} alarm:${name(alarm)} \n`).join('');
  const fields = alarms.flatMap(({ memberID, alarm }) => [
    { name: 'MemberID', json: 'memberID', value: memberID },
    { name: 'AlarmType', json: 'alarm', value: name(alarm) },
  ]);
  return { text, header, fields };
}

export async function runDefrag(host: Host, globals: Globals): Promise<void> {
  await forEachEndpoint(globals, async (client, endpoint) => {
    await client.defragment(endpoint);
    host.stdout.write(`Finished defragmenting etcd member[${endpoint}]\n`);
  });
}

export async function runHashKv(host: Host, globals: Globals, flags: { rev?: string }): Promise<void> {
  const revision = wholeNumber(flags.rev ?? '0', '--rev');
  await withClient(globals, 'simple', async (_, format) =>
    forEachEndpoint(globals, async (client, endpoint) => {
      const { header, hash, compactRevision, hashRevision } = await client.hashKv(endpoint, { revision });
      const fields = [
        { name: 'Endpoint', json: 'Endpoint', value: endpoint },
        { name: 'Hash', json: 'hash', value: hash },
        { name: 'CompactRevision', json: 'compact_revision', value: compactRevision },
        { name: 'HashRevision', json: 'hash_revision', value: hashRevision },
      ];
      host.stdout.write(format.record({ text: `${endpoint}, ${hash}\n`, header, fields }));
    }),
  );
}

/** Those that fail are told, and the others asked all the same. */
async function forEachEndpoint(globals: Globals, work: (client: Client, endpoint: string) => Promise<void>): Promise<void> {
  const failed: string[] = [];
  await withClient(globals, 'simple', async (client) => {
    for (const endpoint of globals.endpoints) {
      try {
        await work(client, endpoint);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        failed.push(`${endpoint}: ${explain(error)}`);
      }
    }
  });
  if (failed.length > 0) throw new CommandError('failed', failed.join('; '));
}
