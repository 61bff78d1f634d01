// How long writes are interrupted when the leader's process is killed under load: from the kill to the first write that was begun after it and
// is acknowledged, and until every writer has had one. Programs are measured in turn, so that the machine's moods meet both.
import { utf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Node, Nodes, type Program, sleep } from './nodes.ts';

const WRITERS = 10;
const VALUE_BYTES = 100;
const WARM_UP_MS = 1000;
const RETRY_MS = 10;
/** An attempt is given up after this time: what was handed to a leader that fell is answered only when its server gives up. */
const ATTEMPT_MS = 500;
const PATIENCE_MS = 60_000;

export interface Failover {
  readonly program: Program;
  readonly firstMs: number;
  readonly allMs: number;
  /** Writes acknowledged in the second before the kill. */
  readonly writesBefore: number;
}

export async function measureFailover(
  programs: readonly Program[],
  times: number,
  onTime: (failover: Failover) => void,
): Promise<Failover[]> {
  const found: Failover[] = [];
  const clusters: (readonly [Program, Nodes])[] = [];
  try {
    for (const program of programs) clusters.push([program, await Nodes.start(program, 3)]);
    for (let i = 0; i < times; i++)
      for (const [program, cluster] of clusters) {
        const failover = { program, ...(await killOnce(cluster)) };
        found.push(failover);
        onTime(failover);
      }
    return found;
  } finally {
    for (const [, cluster] of clusters) await cluster[Symbol.asyncDispose]();
  }
}

async function killOnce(cluster: Nodes): Promise<Omit<Failover, 'program'>> {
  const leader = await cluster.leader();
  const load = new Load(cluster.nodes);
  try {
    await sleep(WARM_UP_MS);
    const writesBefore = load.acknowledged;
    if (writesBefore === 0) throw new Error('nobody acknowledges a write before the kill');
    await cluster.kill(leader);
    const { firstMs, allMs } = await load.goesOn(performance.now());
    return { firstMs, allMs, writesBefore };
  } finally {
    await load.stop();
    cluster.launch(leader);
    await cluster.serves(leader);
  }
}

/** Writers that each keep one write under way; who gets no acknowledgement goes to the next node. */
class Load {
  readonly #nodes: readonly Node[];
  readonly #writers: Promise<void>[];
  /** By writer: when its last acknowledged write was begun. */
  readonly #begunMs: number[] = Array.from({ length: WRITERS }, () => -Infinity);
  #isOver = false;
  acknowledged = 0;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#writers = Array.from({ length: WRITERS }, (_, writer) => this.#write(writer));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#writers);
  }

  /** Since the kill, at `fromMs`. */
  async goesOn(fromMs: number): Promise<{ firstMs: number; allMs: number }> {
    let firstMs: number | undefined;
    for (; performance.now() < fromMs + PATIENCE_MS; await sleep(1)) {
      const writing = this.#begunMs.filter((begunMs) => begunMs >= fromMs).length;
      if (writing > 0) firstMs ??= performance.now() - fromMs;
      if (firstMs !== undefined && writing === WRITERS) return { firstMs, allMs: performance.now() - fromMs };
    }
    throw new Error(firstMs === undefined ? 'nobody acknowledges a write' : 'a writer does not get on');
  }

  async #write(writer: number): Promise<void> {
    const value = new Uint8Array(VALUE_BYTES).fill(120);
    let at = writer;
    for (let i = 0; !this.#isOver; i++) {
      const begunMs = performance.now();
      const put = pb.PutRequest.create({ key: utf8(`failover/${writer}/${i % 1000}`), value });
      const { channel } = this.#nodes[at % this.#nodes.length] as Node;
      const isAcknowledged = await channel.unary(pb.KV.methods.put, put, { timeoutMs: ATTEMPT_MS }).then(
        () => true,
        () => false,
      );
      if (isAcknowledged) {
        this.#begunMs[writer] = begunMs;
        this.acknowledged++;
        continue;
      }
      at++;
      await sleep(RETRY_MS);
    }
  }
}
