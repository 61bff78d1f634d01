// Turns gathered texts into the checked ServerConfig. Every message names the place where the value was written.
import { resolve } from 'node:path';
import {
  type AutoCompaction,
  checkConfig,
  type EndpointUrl,
  parseEndpointUrls,
  parseInitialCluster,
  serverDefaults,
  type ServerConfig,
  type TlsConfig,
} from '@distrokv/server';
import type { LogLevel } from '@distrokv/env';
import { parseDuration } from '../duration.ts';
import { usage } from '../errors.ts';
import { findServerFlag, type ServerFlagName } from './flags.ts';
import type { Settings } from './settings.ts';

export type LogFormat = 'json' | 'text';

export interface ServerSetup {
  readonly config: ServerConfig;
  readonly logLevel: LogLevel;
  /** Undefined where the output decides: text on a terminal, JSON otherwise. */
  readonly logFormat: LogFormat | undefined;
}

const defaultClientUrl = 'http://127.0.0.1:2379';
const defaultPeerUrl = 'http://127.0.0.1:2380';

/** Throws CommandError `usage`, or ServerError `invalid-config`. */
export function buildServerSetup(settings: Settings): ServerSetup {
  const read = readerOf(settings);
  const name = read.text('name') ?? serverDefaults.name;
  const listenClientUrls = read.urls('listen-client-urls') ?? parseEndpointUrls(defaultClientUrl, 'listen-client-urls');
  const listenPeerUrls = read.urls('listen-peer-urls') ?? parseEndpointUrls(defaultPeerUrl, 'listen-peer-urls');
  const advertiseClientUrls =
    read.urls('advertise-client-urls') ?? sameAsListen(listenClientUrls, 'listen-client-urls', 'advertise-client-urls');
  const initialAdvertisePeerUrls =
    read.urls('initial-advertise-peer-urls') ?? sameAsListen(listenPeerUrls, 'listen-peer-urls', 'initial-advertise-peer-urls');
  const quota = read.integer('quota-backend-bytes') ?? 0;
  const config: ServerConfig = {
    name,
    dataDirectory: resolve(read.text('data-dir') ?? `${name}.distrokv`),
    listenClientUrls,
    advertiseClientUrls,
    listenPeerUrls,
    initialAdvertisePeerUrls,
    initialCluster: parseInitialCluster(
      read.text('initial-cluster') ?? initialAdvertisePeerUrls.map((url) => `${name}=${url.text}`).join(),
    ),
    initialClusterState: read.choice('initial-cluster-state', ['new', 'existing']) ?? 'new',
    initialClusterToken: read.text('initial-cluster-token') ?? serverDefaults.initialClusterToken,
    rejoin: read.boolean('rejoin') ?? false,
    strictReconfigCheck: read.boolean('strict-reconfig-check') ?? true,
    snapshotCatchUpEntries: read.integer('snapshot-catchup-entries') ?? serverDefaults.snapshotCatchUpEntries,
    maxLearners: read.integer('max-learners') ?? serverDefaults.maxLearners,
    heartbeatMs: read.integer('heartbeat-interval') ?? serverDefaults.heartbeatMs,
    electionMs: read.integer('election-timeout') ?? serverDefaults.electionMs,
    quotaBytes: quota === 0 ? serverDefaults.quotaBytes : quota < 0 ? Infinity : quota,
    maxRequestBytes: read.integer('max-request-bytes') ?? serverDefaults.maxRequestBytes,
    maxTxnOps: read.integer('max-txn-ops') ?? serverDefaults.maxTxnOps,
    clientTls: tlsOf(read, ''),
    peerTls: tlsOf(read, 'peer-'),
    watchProgressNotifyMs: Math.max(100, read.duration('watch-progress-notify-interval') ?? serverDefaults.watchProgressNotifyMs),
    autoDisarm: read.choice('auto-disarm', ['true', 'false']) !== 'false',
    ...autoCompaction(read),
    leaseReads: leaseReads(read),
  };
  checkConfig(config);
  const level = read.choice('log-level', ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal']) ?? 'info';
  const format = read.choice('log-format', ['json', 'text', 'console']);
  return {
    config,
    logLevel: level === 'dpanic' || level === 'panic' ? 'fatal' : level,
    logFormat: format === 'console' ? 'text' : format,
  };
}

/**
 * What is told to others when nothing was said: the listen URLs, where they name this machine. (etcd falls back to localhost for
 * peers and refuses for clients; a URL of every address is no address at all, so that is refused here too.)
 */
function sameAsListen(listen: readonly EndpointUrl[], listenFlag: ServerFlagName, advertiseFlag: ServerFlagName): readonly EndpointUrl[] {
  const everywhere = listen.find((url) => url.host === '0.0.0.0' || url.host === '::' || url.port === 0);
  if (everywhere)
    throw usage(
      `${listenFlag}: ${everywhere.text} is no address that others can dial: say --${advertiseFlag} too, for example http://HOST:${everywhere.port}`,
    );
  return listen;
}

/** The TLS settings of clients, or of the other members. */
function tlsOf(read: SettingsReader, prefix: '' | 'peer-'): TlsConfig | undefined {
  const certFile = read.text(`${prefix}cert-file`);
  const keyFile = read.text(`${prefix}key-file`);
  const trustedCaFile = read.text(`${prefix}trusted-ca-file`);
  const clientCertAuth = read.boolean(`${prefix}client-cert-auth`) ?? false;
  if (certFile === undefined && keyFile === undefined) {
    if (clientCertAuth || trustedCaFile !== undefined)
      throw usage(
        `${prefix}${clientCertAuth ? 'client-cert-auth' : 'trusted-ca-file'}: needs --${prefix}cert-file and --${prefix}key-file`,
      );
    return undefined;
  }
  if (certFile === undefined || keyFile === undefined) throw usage(`${prefix}cert-file and ${prefix}key-file go together: say both`);
  const caFile = trustedCaFile === undefined ? {} : { trustedCaFile: resolve(trustedCaFile) };
  return { certFile: resolve(certFile), keyFile: resolve(keyFile), ...caFile, clientCertAuth };
}

function leaseReads(read: SettingsReader): ServerConfig['leaseReads'] {
  const isOn = read.boolean('lease-reads') ?? false;
  const text = read.text('max-clock-drift');
  if (!isOn && text !== undefined) throw usage('max-clock-drift: goes with --lease-reads: without it, no read depends on a clock');
  if (text !== undefined && !/^(\d+(\.\d*)?|\.\d+)$/.test(text))
    throw usage(`max-clock-drift: ${JSON.stringify(text)} is not a fraction such as 0.01`);
  return isOn ? { maxDrift: text === undefined ? serverDefaults.maxClockDrift : Number(text) } : undefined;
}

/** etcd's rules: by time, a bare number counts hours; by revision, it counts revisions; 0 is off. */
function autoCompaction(read: SettingsReader): { readonly autoCompaction?: AutoCompaction } {
  const mode = read.choice('auto-compaction-mode', ['periodic', 'revision']) ?? 'periodic';
  const text = read.text('auto-compaction-retention') ?? '0';
  const count = /^\d+$/.test(text) ? Number(text) : undefined;
  if (count === 0) return {};
  if (mode === 'periodic') {
    const retentionMs = count === undefined ? read.duration('auto-compaction-retention') : count * 3_600_000;
    return retentionMs === undefined ? {} : { autoCompaction: { mode, retentionMs } };
  }
  if (count === undefined || !Number.isSafeInteger(count))
    throw usage(`auto-compaction-retention: ${JSON.stringify(text)} is not a number of revisions`);
  return { autoCompaction: { mode, retention: count } };
}

interface SettingsReader {
  text(flag: ServerFlagName): string | undefined;
  urls(flag: ServerFlagName): EndpointUrl[] | undefined;
  integer(flag: ServerFlagName): number | undefined;
  boolean(flag: ServerFlagName): boolean | undefined;
  /** Milliseconds. A bare number counts nanoseconds, as in etcd's config files. */
  duration(flag: ServerFlagName): number | undefined;
  choice<const C extends string>(flag: ServerFlagName, choices: readonly C[]): C | undefined;
}

/** Reads values with errors that name their source; an empty value is none. */
function readerOf(settings: Settings): SettingsReader {
  const given = (flag: ServerFlagName): { value: string; source: string } | undefined => {
    const found = settings.values.get(flag);
    return found?.value ? found : undefined;
  };
  return {
    text: (flag) => given(flag)?.value,
    urls(flag) {
      const found = given(flag);
      return found && parseEndpointUrls(found.value, found.source);
    },
    integer(flag) {
      const found = given(flag);
      if (!found) return undefined;
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = findServerFlag(flag) ?? {};
      const n = /^[+-]?\d+$/.test(found.value) ? Number(found.value) : NaN;
      if (!(n >= min && n <= max))
        throw usage(`${found.source}: ${JSON.stringify(found.value)} is not a whole number from ${min} to ${max}`);
      return n;
    },
    boolean(flag) {
      const found = given(flag);
      if (!found) return undefined;
      if (!['true', 'false', '1', '0'].includes(found.value))
        throw usage(`${found.source}: ${JSON.stringify(found.value)} is neither true nor false`);
      return found.value === 'true' || found.value === '1';
    },
    duration(flag) {
      const found = given(flag);
      return found && parseDuration(/^\d+$/.test(found.value) ? `${found.value}ns` : found.value, found.source);
    },
    choice(flag, choices) {
      const found = given(flag);
      const value = choices.find((choice) => choice === found?.value);
      if (found && value === undefined) throw usage(`${found.source}: ${JSON.stringify(found.value)} is none of ${choices.join(', ')}`);
      return value;
    },
  };
}
