// How many unary calls of gRPC go through one connection a second, on one core and without a socket: `receive` of what a client sent, HPACK
// included, an answer of headers, a message and trailers, and `takeOutput`. `node packages/http2/dist/testing/bench.js [seconds]`
import {
  createClientConnection,
  createServerConnection,
  HeaderBlock,
  type ConnectionHandler,
  type HeaderList,
  type Stream,
} from '../index.ts';

const BATCH = 100;
const seconds = Number(process.argv[2] ?? 3);
const message = new Uint8Array(64).fill(7);
const headers = new HeaderBlock([':status', '200', 'content-type', 'application/grpc']);
const trailers = new HeaderBlock(['grpc-status', '0']);
const request: HeaderList = [
  ...[':method', 'POST', ':scheme', 'http', ':path', '/etcdserverpb.KV/Put', ':authority', 'localhost:2379'],
  ...['te', 'trailers', 'content-type', 'application/grpc', 'user-agent', 'grpc-go/1.71.1'],
];
const nothing = (): void => undefined;

/** Answers each request with as much as came. */
function echoServer(): ReturnType<typeof createServerConnection> {
  const handler: ConnectionHandler<null> = {
    onHeaders: nothing,
    onData(stream: Stream<null>, bytes, endStream) {
      stream.consume(bytes.length);
      if (!endStream) return;
      stream.sendHeaders(headers);
      stream.sendData(message);
      stream.sendHeaders(trailers, true);
    },
    onTrailers: nothing,
    onReset: nothing,
    onOutput: nothing,
    onClose(error) {
      if (error !== undefined) throw error;
    },
  };
  return createServerConnection(handler, { maxConcurrentStreams: 1000 });
}

/** What a client has to say for one batch of calls after another, recorded: the server's work alone is to be measured. */
function* requests(vary: boolean): Generator<Uint8Array, undefined, readonly Uint8Array[]> {
  let answered = 0;
  const client = createClientConnection<null>({
    onHeaders: nothing,
    onData: (stream, bytes) => stream.consume(bytes.length),
    onTrailers: () => answered++,
    onReset: nothing,
    onOutput: nothing,
    onClose: nothing,
  });
  const block = new HeaderBlock(request);
  for (let n = 0; ;) {
    for (let i = 0; i < BATCH; i++, n++) {
      const stream = client.openStream(block, false, null, vary ? ['grpc-timeout', `${4_000_000 + (n % 999_999)}u`] : undefined);
      stream?.sendData(message, true);
    }
    const answers = yield Buffer.concat(client.takeOutput());
    for (const bytes of answers) client.receive(bytes);
    if (answered !== n) throw new Error(`${n} calls, ${answered} answers`);
  }
}

function measure(what: string, vary: boolean): void {
  const server = echoServer();
  const batches = requests(vary);
  let batch = batches.next().value as Uint8Array;
  let best = 0;
  for (let round = 0; round < seconds * 2; round++) {
    let calls = 0;
    let spent = 0;
    while (spent < 500) {
      const started = performance.now();
      server.receive(batch);
      const answers = server.takeOutput();
      spent += performance.now() - started;
      calls += BATCH;
      batch = batches.next(answers).value as Uint8Array;
    }
    best = Math.max(best, (calls / spent) * 1000);
  }
  process.stdout.write(`${what.padEnd(44)} ${Math.round(best).toLocaleString('en')} calls/s\n`);
}

measure('the same headers each time', false);
measure('a deadline that differs each time', true);
