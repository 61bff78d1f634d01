// The form of DistroKV's ancestor, `distrokv server node1 50051`, in terms of flags: one member, clients on every address.
import { CommandError, usage } from '../errors.ts';
import { firstFreePort } from '../ports.ts';
import type { GivenValue } from './settings.ts';

export interface AncestorForm {
  readonly flags: readonly GivenValue[];
  /** Something that was chosen and should be said, or undefined. */
  readonly note: string | undefined;
}

/** Throws CommandError. The peer port is the next free one: no other member will ask for it. */
export async function expandAncestorForm(name: string, clientPort: string | undefined): Promise<AncestorForm> {
  if (clientPort === undefined) throw usage(`server ${name}: say a client port too, as in "distrokv server ${name} 50051", or use --name`);
  const port = /^\d{1,5}$/.test(clientPort) ? Number(clientPort) : NaN;
  if (!(port >= 1 && port <= 65_535)) throw usage(`server ${name} ${clientPort}: the second word is no port from 1 to 65535`);
  const wished = port < 65_535 ? port + 1 : port - 1;
  const peerPort = await firstFreePort(wished);
  if (peerPort === undefined) throw new CommandError('failed', `no free port for peers near ${wished}: say --listen-peer-urls`);
  const flag = (name: string, value: string): GivenValue => ({ flag: name, value, source: `server ${value}` });
  return {
    flags: [
      flag('name', name),
      flag('listen-client-urls', `http://0.0.0.0:${port}`),
      flag('advertise-client-urls', `http://127.0.0.1:${port}`),
      flag('listen-peer-urls', `http://127.0.0.1:${peerPort}`),
    ],
    note: peerPort === wished ? undefined : `port ${wished} is in use: the peer port is ${peerPort}`,
  };
}
