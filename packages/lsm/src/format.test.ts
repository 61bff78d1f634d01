// The hex dumps of docs/format/lsm.md are what the engine writes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hex, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';

const chapter = readFileSync(new URL('../../../docs/format/lsm.md', import.meta.url), 'utf8');

/** The dumps in the chapter, without what is said about them. */
const dumps = [...chapter.matchAll(/```hex\n([^`]*)```/g)].map(([, dump]) => (dump as string).replaceAll(/#.*|\s/g, ''));

test('the worked examples of the format are what the engine writes', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const keyspaces = [
    { name: 'data', versions: 'caller' },
    { name: 'meta', versions: 'latest' },
  ] as const;
  const engine = await openEngine({ env, directory: '/db', wal: 'sync', keyspaces });
  const [data, meta] = [engine.keyspace('data'), engine.keyspace('meta')];
  const first = engine.batch();
  first.put(data, utf8('apple'), utf8('red'), 7);
  first.put(data, utf8('apricot'), utf8('orange'), 7);
  first.delete(data, utf8('banana'), 7);
  await engine.write(first);
  await engine.flush();
  const second = engine.batch();
  second.put(data, utf8('cherry'), utf8('dark'), 8);
  second.put(meta, utf8('n'), utf8('8'));
  await engine.write(second);
  await engine.close();
  const files = ['manifest', '000002.wal', '000001.sst'];
  assert.deepEqual(await env.fs.readDirectory('/db'), files.toSorted());
  for (const [i, name] of files.entries()) assert.equal(hex(await env.fs.readFile(`/db/${name}`, 1000)), dumps[i], name);
});
