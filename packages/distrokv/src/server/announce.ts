// What a server says when it starts: to a person on standard output, to a machine as log lines, to a supervising parent
// through both its log and a message.
import { hexId } from '@distrokv/base';
import type { Logger } from '@distrokv/env';
import type { RunningServer, ServerConfig } from '@distrokv/server';
import picocolors from 'picocolors';
import type { Output } from '../host.ts';
import { etcdApiVersion, version } from '../version.ts';

/** The line that says that a server can be used. Scripts wait for it. */
export const readyLine = 'ready to serve client requests';

export interface Announcer {
  started(config: ServerConfig, running: RunningServer): void;
  ready(config: ServerConfig, running: RunningServer): void;
}

export function announceToPerson(output: Output, colour: boolean): Announcer {
  const paint = picocolors.createColors(colour);
  const row = (label: string, value: string): string => `  ${paint.dim(label.padEnd(9))} ${value}\n`;
  return {
    started(config, running) {
      const peers = config.listenPeerUrls.map((url) => url.text).join(', ');
      output.write(
        `\n${paint.bold(`DistroKV ${version}`)} (etcd API ${etcdApiVersion})\n` +
          row('member', `${config.name}, ${hexId(running.memberId)}`) +
          row('clients', clientUrls(config, running).join(', ')) +
          row('peers', peers) +
          row('data', `${config.dataDirectory}\n`),
      );
    },
    ready(config, running) {
      output.write(`${paint.green(readyLine)}\n\n${whatToTry(endpointOf(config, running))}\n`);
    },
  };
}

/** `says` is the ready line, except for a member whose parent speaks for the whole cluster. */
export function announceToLog(logger: Logger, says: string): Announcer {
  return {
    started: (config, running) =>
      logger.info(`DistroKV ${version} started`, {
        member_id: running.memberId,
        cluster_id: running.clusterId,
        clients: clientUrls(config, running).join(),
        peers: config.listenPeerUrls.map((url) => url.text).join(),
        data_dir: config.dataDirectory,
      }),
    ready: () => logger.info(says),
  };
}

/** Examples that can be pasted as they are. */
export function whatToTry(endpoint: string): string {
  const ours = endpoint === '127.0.0.1:2379' ? '' : ` --endpoints ${endpoint}`;
  return [
    'Try, in another terminal:',
    `  npx distrokv put greeting hello${ours}`,
    `  npx distrokv get greeting${ours}`,
    `  etcdctl --endpoints=${endpoint} get greeting`,
    '',
  ].join('\n');
}

/** Where a command on this machine reaches the server. */
function endpointOf(config: ServerConfig, running: RunningServer): string {
  const address = (clientUrls(config, running)[0] ?? config.advertiseClientUrls[0]?.text ?? '').replace(/^http:\/\//, '');
  return address.replace(/^(?<scheme>https:\/\/)?(?:0\.0\.0\.0|\[::\]|localhost):/, '$<scheme>127.0.0.1:');
}

/** Where clients are served, with the ports that were found for those that were 0. */
function clientUrls(config: ServerConfig, running: RunningServer): string[] {
  return running.clientAddresses.map((address, i) => `${config.listenClientUrls[i]?.isSecure === true ? 'https' : 'http'}://${address}`);
}
