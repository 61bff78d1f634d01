// How long writes are interrupted when the leader's process is killed: from the kill to the first write that is acknowledged by another node.
import { utf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Node, Nodes, type Program, sleep } from './nodes.ts';

const RETRY_MS = 10;
/** An attempt is given up after this time: what was handed to a leader that fell is answered only when its server gives up. */
const ATTEMPT_MS = 500;
const PATIENCE_MS = 60_000;

/** Milliseconds of each time. */
export async function measureFailover(program: Program, times: number, onTime: (ms: number) => void): Promise<number[]> {
  await using cluster = await Nodes.start(program, 3);
  const found: number[] = [];
  for (let i = 0; i < times; i++) {
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    await firstWrite(others);
    const startMs = performance.now();
    await cluster.kill(leader);
    await firstWrite(others);
    found.push(performance.now() - startMs);
    onTime(found.at(-1) ?? 0);
    cluster.launch(leader);
    await cluster.serves(leader);
    await sleep(500);
  }
  return found;
}

/** Each node is asked again and again until one acknowledges. */
function firstWrite(nodes: readonly Node[]): Promise<void> {
  let isDone = false;
  const put = pb.PutRequest.create({ key: utf8('failover'), value: utf8('x') });
  const ask = async ({ channel }: Node): Promise<void> => {
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs && !isDone; await sleep(RETRY_MS)) {
      const isAcknowledged = await channel.unary(pb.KV.methods.put, put, { timeoutMs: ATTEMPT_MS }).then(
        () => true,
        () => false,
      );
      if (isAcknowledged) {
        isDone = true;
        return;
      }
    }
    if (!isDone) throw new Error('nobody acknowledges a write');
  };
  return Promise.any(nodes.map(ask));
}
