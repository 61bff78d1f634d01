// How a member that was added to a running cluster learns who it is: it asks the others, at the peer URLs that initial-cluster names, until one
// answers. With `rejoin` it takes the place of the member with its own URLs, whose disk was lost: under its old id it would break promises that
// it does not remember, so it comes back as a new member, and the two change places in one step.
import { clusterId, memberId, messageOf } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { peer as pb } from '@distrokv/proto';
import type { ServerConfig } from './config.ts';
import { ServerError } from './errors.ts';
import { type DialOptions, dial, targetOf } from './peers/address.ts';
import type { LogIdentity } from './raft-log/codec.ts';
import { TlsFiles } from './tls-files.ts';

const CALL_TIMEOUT_MS = 10_000;
const ROUNDS = 10;
const PAUSE_MS = 1000;

/** Throws ServerError `cannot-join`. */
export async function joinCluster({ config, env, logger }: { config: ServerConfig; env: Env; logger: Logger }): Promise<LogIdentity> {
  const others = config.initialCluster
    .filter(({ name }) => name !== config.name)
    .flatMap(({ peerUrls }) => peerUrls.map(({ text }) => text));
  if (others.length === 0) throw cannotJoin('--initial-cluster names no other member: name one that runs, as NAME=http://HOST:PORT');
  const files = config.peerTls && (await TlsFiles.open(env, config.peerTls));
  const dialling = { env, tls: () => files?.client };
  let why = '';
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await env.timers.sleep(PAUSE_MS);
    for (const url of others) {
      try {
        return await ask(url, config, dialling);
      } catch (error) {
        why = `${url}: ${messageOf(error)}`;
        logger.warn('this member was not taken in', { url, reason: messageOf(error) });
      }
    }
  }
  throw cannotJoin(`${why}; add it first (distrokv member add ${config.name} --peer-urls=…), or start with --rejoin if its disk was lost`);
}

function cannotJoin(why: string): ServerError {
  return new ServerError('cannot-join', `cannot join the running cluster: ${why}`);
}

async function ask(url: string, config: ServerConfig, dialling: DialOptions): Promise<LogIdentity> {
  const channel = dial(targetOf(url), dialling);
  try {
    const request = { peerUrls: config.initialAdvertisePeerUrls.map(({ text }) => text), replace: config.rejoin === true };
    const answer = await channel.unary(pb.Peer.methods.join, request, { timeoutMs: CALL_TIMEOUT_MS });
    return { clusterId: clusterId(answer.clusterId), memberId: memberId(answer.memberId) };
  } finally {
    channel.close();
  }
}
