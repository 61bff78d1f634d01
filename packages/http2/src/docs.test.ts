// The frames in docs/04-wire.md are what our client and our server say, byte by byte.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createClientConnection, createServerConnection, HeaderBlock } from './index.ts';
import { framesOf, type Frame } from './testing/frames.ts';

const chapter = readFileSync(new URL('../../../docs/04-wire.md', import.meta.url), 'utf8');

/** Lines of two hex digits and blanks, up to what is said about them. */
function exampleOf(block: string): string[] {
  const frames: string[] = [];
  for (const line of block.trimEnd().split('\n')) {
    const [, who, bytes] = /^\s*(client: |server: )?((?:[0-9a-f]{2} ?)+)(?: |$)/.exec(line) ?? [];
    assert.ok(bytes !== undefined, line);
    if (who !== undefined) frames.push(who);
    frames.push(`${frames.pop()}${bytes.replaceAll(' ', '')}`);
  }
  return frames;
}

const hexOf = ({ type, flags, id, payload }: Frame): string => {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, payload]).toString('hex');
};

test('two calls, as docs/04-wire.md shows them', () => {
  const examples = [...chapter.matchAll(/```http2\n([^`]*)```/g)].map(([, block]) => exampleOf(block as string));
  assert.equal(examples.length, 2);
  const nothing = (): void => undefined;
  const quiet = { onHeaders: nothing, onData: nothing, onTrailers: nothing, onReset: nothing, onOutput: nothing, onClose: nothing };
  const client = createClientConnection<null>(quiet);
  const server = createServerConnection({
    ...quiet,
    onData(stream) {
      stream.sendHeaders(headers);
      stream.sendData(Uint8Array.of(0, 0, 0, 0, 2, 8, 1));
      stream.sendHeaders(trailers, true);
    },
  });
  const headers = new HeaderBlock([':status', '200', 'content-type', 'application/grpc']);
  const trailers = new HeaderBlock(['grpc-status', '0']);
  const put = new HeaderBlock([
    ...[':method', 'POST', ':scheme', 'http', ':path', '/etcdserverpb.KV/Put', ':authority', 'n1:2379'],
    ...['te', 'trailers', 'content-type', 'application/grpc'],
  ]);
  const exchange = (): string[] => {
    const said: string[] = [];
    for (const [who, from, to] of [
      ['client: ', client, server],
      ['server: ', server, client],
    ] as const) {
      const bytes = Buffer.concat(from.takeOutput());
      to.receive(bytes);
      said.push(...framesOf(bytes.subarray(bytes.toString('latin1').startsWith('PRI') ? 24 : 0)).map((frame) => who + hexOf(frame)));
    }
    return said;
  };
  exchange();
  exchange();
  for (const example of examples) {
    client.openStream(put, false, null)?.sendData(Uint8Array.of(0, 0, 0, 0, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76), true);
    assert.deepEqual(exchange(), example);
  }
});
