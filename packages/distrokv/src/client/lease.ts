// lease grant, revoke, timetolive, list and keep-alive, in etcdctl's words.
import { fromUtf8 } from '@distrokv/base';
import { ClientError } from '@distrokv/client';
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Globals, withClient } from './globals.ts';
import { parseLease, showLease } from './lease-id.ts';
import { wholeNumber } from './kv.ts';
import { aborted, stopSignal } from './stopping.ts';

export async function runLeaseGrant(host: Host, globals: Globals, ttl: string): Promise<void> {
  const seconds = wholeNumber(ttl, 'TTL');
  await withClient(globals, 'simple', async (client, format) => {
    const { header, id, ttl: granted } = await client.leaseGrant(seconds);
    const text = `lease ${showLease(id)} granted with TTL(${granted}s)\n`;
    const fields = [
      { name: 'ID', json: 'ID', value: id },
      { name: 'TTL', json: 'TTL', value: granted },
    ];
    host.stdout.write(format.record({ text, header, fields }));
  });
}

export async function runLeaseRevoke(host: Host, globals: Globals, lease: string): Promise<void> {
  const id = parseLease(lease);
  await withClient(globals, 'simple', async (client, format) => {
    const { header } = await client.leaseRevoke(id);
    host.stdout.write(format.record({ text: `lease ${showLease(id)} revoked\n`, header, fields: [] }));
  });
}

export async function runLeaseTimeToLive(host: Host, globals: Globals, lease: string, flags: { keys?: true }): Promise<void> {
  const id = parseLease(lease);
  await withClient(globals, 'simple', async (client, format) => {
    const { header, ttl, grantedTTL, keys } = await client.leaseTimeToLive(id, { keys: flags.keys ?? false });
    const attached = flags.keys ? `, attached keys([${keys.map(fromUtf8).join(' ')}])` : '';
    const text =
      ttl < 0
        ? `lease ${showLease(id)} already expired\n`
        : `lease ${showLease(id)} granted with TTL(${grantedTTL}s), remaining(${ttl}s)${attached}\n`;
    const fields = [
      { name: 'ID', json: 'id', value: id },
      { name: 'TTL', json: 'ttl', value: ttl },
      { name: 'GrantedTTL', json: 'granted-ttl', value: grantedTTL },
      { name: 'Key', json: 'keys', value: keys },
    ];
    host.stdout.write(format.record({ text, header, fields }));
  });
}

export async function runLeaseList(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, 'simple', async (client, format) => {
    const { header, leases } = await client.leases();
    const text = `found ${leases.length} leases\n${leases.map(({ id }) => `${showLease(id)}\n`).join('')}`;
    host.stdout.write(format.record({ text, header, fields: [{ name: 'ID', json: 'leases', value: leases.map(({ id }) => id) }] }));
  });
}

/** Renews until it is stopped, or the lease has ended; with --once, once. */
export async function runLeaseKeepAlive(host: Host, globals: Globals, lease: string, flags: { once?: true }): Promise<void> {
  const id = parseLease(lease);
  if (id === 0n) throw usage('0 is no lease');
  const signal = stopSignal(host);
  await withClient(globals, 'simple', async (client) => {
    while (!signal.aborted) {
      const ttl = await client.leaseRenew(id, { timeoutMs: globals.requestTimeoutMs });
      if (ttl === 0 && flags.once) throw new ClientError('refused', 'etcdserver: requested lease not found');
      host.stdout.write(
        ttl === 0 ? `lease ${showLease(id)} expired or revoked.\n` : `lease ${showLease(id)} keepalived with TTL(${ttl})\n`,
      );
      if (ttl === 0 || flags.once) return;
      await Promise.race([aborted(signal), new Promise((resolve) => setTimeout(resolve, (ttl * 1000) / 3).unref())]);
    }
  });
}
