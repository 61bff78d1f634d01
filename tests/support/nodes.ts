// What clients of other makers are tried against: a node that is alone, and a cluster of three.
import { after, before } from 'node:test';
import { TestCluster } from './cluster.ts';
import { leaderOf } from './verify.ts';

export interface Nodes {
  readonly single: TestCluster;
  readonly three: TestCluster;
  /** "host:port" of the node that is alone, and of one of the three that does not lead. */
  readonly endpoints: readonly string[];
}

/** They run from before the first test of the file until after its last; empty until then. */
export function nodesForTests(): Nodes {
  const nodes: { -readonly [name in keyof Nodes]?: Nodes[name] } = {};
  before(async () => {
    const [single, three] = await Promise.all([TestCluster.start(1), TestCluster.start(3)]);
    const leader = await leaderOf(three.endpoints);
    const endpoints = [single.endpoints[0] as string, three.endpoints.find((_, i) => i !== leader) as string];
    Object.assign(nodes, { single, three, endpoints });
  });
  after(async () => {
    await Promise.all([nodes.single?.[Symbol.asyncDispose](), nodes.three?.[Symbol.asyncDispose]()]);
  });
  return nodes as Nodes;
}
