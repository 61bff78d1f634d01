// `member add|remove|update|promote`: changes of who is a member.
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';
import type { MemberChange } from '../output/format.ts';
import { type Globals, withClient } from './globals.ts';

export async function runMemberAdd(
  host: Host,
  globals: Globals,
  name: string,
  flags: { readonly peerUrls: string; readonly learner?: true },
): Promise<void> {
  const peerURLs = flags.peerUrls.split(',').map((url) => url.trim());
  await change(host, globals, async (client) => {
    const response = await client.memberAdd(peerURLs, { learner: flags.learner === true });
    const { member, members, header } = response;
    return { kind: 'added', id: member?.id ?? 0n, header, members, name, peerURLs, isLearner: member?.isLearner === true };
  });
}

export async function runMemberRemove(host: Host, globals: Globals, text: string): Promise<void> {
  const id = parseId(text);
  await change(host, globals, async (client) => ({ kind: 'removed', id, ...(await client.memberRemove(id)) }));
}

export async function runMemberUpdate(host: Host, globals: Globals, text: string, flags: { readonly peerUrls: string }): Promise<void> {
  const id = parseId(text);
  const peerURLs = flags.peerUrls.split(',').map((url) => url.trim());
  await change(host, globals, async (client) => ({ kind: 'updated', id, ...(await client.memberUpdate(id, peerURLs)) }));
}

export async function runMemberPromote(host: Host, globals: Globals, text: string): Promise<void> {
  const id = parseId(text);
  await change(host, globals, async (client) => ({ kind: 'promoted', id, ...(await client.memberPromote(id)) }));
}

async function change(
  host: Host,
  globals: Globals,
  make: (client: Parameters<Parameters<typeof withClient>[2]>[0]) => Promise<MemberChange>,
) {
  await withClient(globals, 'simple', async (client, format) => {
    host.stdout.write(format.memberChange(await make(client)));
  });
}

/** Hexadecimal, as every output shows it. */
function parseId(text: string): bigint {
  if (!/^[0-9a-fA-F]{1,16}$/.test(text))
    throw usage(`${JSON.stringify(text)} is no member id: "distrokv member list" shows them, as 8e9e05c52164694d`);
  return BigInt(`0x${text}`);
}
