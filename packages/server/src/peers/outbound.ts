// One direction of one pair: the long-lived stream on which this member talks to one other. When it breaks, it is built again after a pause;
// what was under way is lost, which Raft copes with. A peer that reads too slowly loses messages, too, instead of filling our memory.
import { hexId, messageOf } from '@distrokv/base';
import type { ClientTls, Env, Logger } from '@distrokv/env';
import type { Channel, ClientStream } from '@distrokv/grpc';
import { peer as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import { dial } from './address.ts';
import { toPeerMessage } from './codec.ts';

/** etcd's words: this member is told so when it says hello. */
export const REMOVED = 'the member has been permanently removed from the cluster';
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** The most that one batch carries, but for a single larger message. */
const BATCH_BYTES = 2 << 20;
/** Most bytes that wait for a slow peer. */
const MAX_QUEUED_BYTES = 32 << 20;

export interface OutboundOptions {
  readonly env: Env;
  readonly logger: Logger;
  readonly hello: pb.PeerHello;
  readonly peerId: bigint;
  /** Where the peer listens, "host:port" or "https://host:port"; tried in turn. */
  readonly targets: readonly string[];
  readonly maxReceiveBytes: number;
  /** For "https://". */
  readonly tls: () => Omit<ClientTls, 'protocols'> | undefined;
  /** The peer says that this member was removed. */
  readonly onRemoved: () => void;
}

type Stream = ClientStream<pb.PeerBatch, pb.PeerBatch>;

export class Outbound {
  readonly #options: OutboundOptions;
  #queue: Message[] = [];
  #queuedBytes = 0;
  #stream: Stream | undefined;
  #sending = false;
  #closed = false;
  /** Ends the pause between two attempts. */
  #endPause: () => void = () => {};
  /** To the peer, connected or not; undefined between two attempts. */
  #channel: Channel | undefined;
  #connectedSinceMs: number | undefined;
  /** Resolves when the loop has ended. */
  readonly #running: Promise<void>;

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.#running = this.#keepConnected();
  }

  get targets(): readonly string[] {
    return this.#options.targets;
  }

  /** Since when the stream has stood. */
  get connectedSinceMs(): number | undefined {
    return this.#connectedSinceMs;
  }

  /** For calls other than the stream, while that stands. */
  get channel(): Channel | undefined {
    return this.#stream && this.#channel;
  }

  send(message: Message): void {
    if (!this.#stream) return; // nobody listens: as good as lost on the way
    const bytes = sizeOf(message);
    if (this.#queuedBytes + bytes > MAX_QUEUED_BYTES) return;
    this.#queue.push(message);
    this.#queuedBytes += bytes;
  }

  /** Sends what has gathered in this turn. */
  flush(): void {
    if (!this.#sending && this.#stream && this.#queue.length > 0) void this.#drain(this.#stream);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endPause();
    this.#channel?.close();
    await this.#running;
  }

  async #drain(stream: Stream): Promise<void> {
    this.#sending = true;
    try {
      while (this.#queue.length > 0 && this.#stream === stream) {
        if (!stream.send({ messages: this.#takeBatch(), hello: undefined })) await stream.writable();
      }
    } catch {
      // The stream ended: `#keepConnected` hears of it from the other direction, and says why.
    } finally {
      this.#sending = false;
    }
  }

  #takeBatch(): pb.PeerMessage[] {
    let bytes = 0;
    let count = 0;
    do bytes += sizeOf(this.#queue[count++] as Message);
    while (count < this.#queue.length && bytes < BATCH_BYTES);
    const batch = this.#queue.slice(0, count).map(toPeerMessage);
    this.#queue = this.#queue.slice(count);
    this.#queuedBytes -= bytes;
    return batch;
  }

  async #keepConnected(): Promise<void> {
    const { logger, targets, peerId } = this.#options;
    let pause = FIRST_PAUSE_MS;
    let toldWhy = '';
    for (let attempt = 0; !this.#closed; attempt++) {
      const target = targets[attempt % targets.length] as string;
      const channel = dial(target, this.#options);
      this.#channel = channel;
      try {
        await this.#talk(channel, () => {
          pause = FIRST_PAUSE_MS;
          toldWhy = '';
          logger.info('connected to a peer', { peer: peerId, target });
        });
      } catch (error) {
        const why = messageOf(error);
        if (why.includes(REMOVED)) this.#options.onRemoved();
        if (!this.#closed && why !== toldWhy) logger.warn('no connection to a peer', { peer: hexId(peerId), target, reason: why });
        toldWhy = why;
      } finally {
        channel.close();
        this.#drop();
      }
      if (!this.#closed) await this.#pause(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.env.timers.after(ms, resolve);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Says hello, waits for the answer, and stays until the stream ends. */
  async #talk(channel: Channel, onConnected: () => void): Promise<void> {
    const stream: Stream = channel.stream(pb.Peer.methods.exchange);
    stream.send({ messages: [], hello: this.#options.hello });
    for await (const batch of stream.responses) {
      if (!batch.hello || this.#stream) continue;
      if (batch.hello.memberId !== this.#options.peerId)
        throw new Error(`it is member ${hexId(batch.hello.memberId)}: check the peer URLs`);
      this.#stream = stream;
      this.#connectedSinceMs = this.#options.env.clock.monotonicMs();
      onConnected();
    }
    throw new Error('the peer ended the stream');
  }

  #drop(): void {
    this.#stream = undefined;
    this.#connectedSinceMs = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}

const MESSAGE_OVERHEAD_BYTES = 64;

function sizeOf(message: Message): number {
  let bytes = MESSAGE_OVERHEAD_BYTES;
  if (message.kind === 'append-entries') for (const entry of message.entries) bytes += entry.data.length + 24;
  if (message.kind === 'propose') for (const command of message.commands) bytes += command.length;
  return bytes;
}
