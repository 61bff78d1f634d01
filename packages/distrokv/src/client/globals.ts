// The flags that all client commands share, as etcdctl has them: the command line first, then DISTROKV_* and ETCDCTL_*.
import { readFile } from 'node:fs/promises';
import { messageOf } from '@distrokv/base';
import { type Client, createClient, type TlsOptions } from '@distrokv/client';
import type { Command } from 'commander';
import { usage } from '../errors.ts';
import { parseDuration } from '../duration.ts';
import type { Host } from '../host.ts';
import type { GlobalVariable } from './variables.ts';
import { type FormatName, loadFormat, parseFormatName, type Format } from '../output/format.ts';

export interface Globals {
  readonly endpoints: readonly string[];
  /** Undefined where nothing was said. */
  readonly format: FormatName | undefined;
  readonly hex: boolean;
  readonly requestTimeoutMs: number;
  /** Undefined where nothing was said. */
  readonly tls: TlsFlags | undefined;
}

/** Paths, as they were given. */
export interface TlsFlags {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly insecureSkipVerify: boolean;
}

interface GlobalValues {
  readonly endpoints?: string;
  readonly writeOut?: string;
  readonly hex?: boolean;
  readonly commandTimeout?: string;
  readonly dialTimeout?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

/** Reads the shared flags of a command that was parsed. Throws CommandError `usage`. */
export function readGlobals(command: Command, host: Host): Globals {
  const flags: GlobalValues = command.optsWithGlobals();
  const variable = (name: GlobalVariable): { text: string; source: string } | undefined => {
    const source = [`DISTROKV_${name}`, `ETCDCTL_${name}`].find((one) => host.env[one]);
    return source === undefined ? undefined : { text: host.env[source] ?? '', source };
  };
  const given = (flag: string | undefined, flagName: string, name: GlobalVariable) =>
    flag === undefined ? variable(name) : { text: flag, source: flagName };
  const format = given(flags.writeOut, '--write-out', 'WRITE_OUT');
  const requestTimeout = given(flags.commandTimeout, '--command-timeout', 'COMMAND_TIMEOUT');
  const dialTimeout = given(flags.dialTimeout, '--dial-timeout', 'DIAL_TIMEOUT');
  const tls = {
    ca: given(flags.cacert, '--cacert', 'CACERT')?.text,
    cert: given(flags.cert, '--cert', 'CERT')?.text,
    key: given(flags.key, '--key', 'KEY')?.text,
    insecureSkipVerify: flags.insecureSkipTlsVerify ?? variable('INSECURE_SKIP_TLS_VERIFY')?.text === 'true',
  };
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw usage('--cert and --key go together: say both');
  if (dialTimeout) parseDuration(dialTimeout.text, dialTimeout.source);
  return {
    endpoints: (given(flags.endpoints, '--endpoints', 'ENDPOINTS')?.text ?? '127.0.0.1:2379').split(',').filter((one) => one.trim() !== ''),
    format: format && parseFormatName(format.text, format.source),
    hex: flags.hex ?? variable('HEX')?.text === 'true',
    requestTimeoutMs: requestTimeout ? parseDuration(requestTimeout.text, requestTimeout.source) : 5000,
    tls: tls.ca !== undefined || tls.cert !== undefined || tls.insecureSkipVerify ? tls : undefined,
  };
}

/** Runs `work` with a client of the endpoints and the format that was asked for, and closes the client. */
export async function withClient<T>(
  globals: Globals,
  fallback: FormatName,
  work: (client: Client, format: Format) => Promise<T>,
): Promise<T> {
  const format = await loadFormat(globals.format ?? fallback, globals);
  const { endpoints, requestTimeoutMs } = globals;
  const tls = globals.tls && (await readTls(globals.tls));
  const client = createClient({ endpoints, requestTimeoutMs, ...(tls && { tls }) });
  try {
    return await work(client, format);
  } finally {
    await client.close();
  }
}

async function readTls({ ca, cert, key, insecureSkipVerify }: TlsFlags): Promise<TlsOptions> {
  const file = async (path: string, flag: string): Promise<Uint8Array> => {
    try {
      return await readFile(path);
    } catch (error) {
      throw usage(`${flag}: ${messageOf(error)}`);
    }
  };
  return {
    ...(ca !== undefined && { ca: await file(ca, '--cacert') }),
    ...(cert !== undefined && { cert: await file(cert, '--cert') }),
    ...(key !== undefined && { key: await file(key, '--key') }),
    insecureSkipVerify,
  };
}
