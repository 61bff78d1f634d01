// The lsm commands on a small store on a real disk: what they print, to the letter.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { utf8 } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { openEngine } from '@distrokv/lsm';
import { runCommandLine } from '../program.ts';
import { FakeHost } from '../testing/fake-host.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const host = new FakeHost();
  const code = await runCommandLine(['lsm', ...argv], host);
  return { code, out: host.out, err: host.err };
}

/** What the command printed is what the file holds; UPDATE_GOLDEN=1 writes it anew. */
function assertGolden(name: string, actual: string): void {
  const file = new URL(`../../src/lsm/testdata/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN']) writeFileSync(file, actual);
  else assert.equal(actual, readFileSync(file, 'utf8'));
}

/** A closed store of one table and a log. */
async function makeStore(t: TestContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-lsm-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const keyspaces = [
    { name: 'data', versions: 'caller' },
    { name: 'meta', versions: 'latest' },
  ] as const;
  const engine = await openEngine({ env: createNodeEnv(), directory, keyspaces, wal: 'nosync' });
  const [data, meta] = [engine.keyspace('data'), engine.keyspace('meta')];
  const first = engine.batch();
  first.put(data, utf8('apple'), utf8('red'), 7);
  first.delete(data, utf8('banana'), 7);
  await engine.write(first);
  await engine.flush();
  const second = engine.batch();
  second.put(meta, utf8('n'), utf8('8\n'));
  await engine.write(second);
  await engine.close();
  return directory;
}

function damage(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(file, bytes);
}

test('inspect prints levels and tables', async (t) => {
  const directory = await makeStore(t);
  const { code, out, err } = await run('inspect', directory);
  assert.deepEqual([code, err], [0, '']);
  assertGolden('inspect.txt', out);
  const json = JSON.parse((await run('inspect', directory, '-w', 'json')).out) as { levels: unknown[]; tables: { entries: number }[] };
  assert.equal(json.levels.length, 1);
  assert.deepEqual(
    json.tables.map(({ entries }) => entries),
    [2],
  );
  assert.deepEqual(await run('inspect', join(directory, 'nowhere')), {
    code: 1,
    out: '',
    err: `Error: ${directory}/nowhere holds no store: it has no manifest\n`,
  });
  assert.equal((await run('inspect', directory, '-w', 'fields')).code, 2);
});

test('dump prints any file of a store', async (t) => {
  const directory = await makeStore(t);
  const withoutSalts = async (name: string): Promise<string> =>
    (await run('dump', join(directory, name))).out.replaceAll(/salt \d+/g, 'salt S');
  for (const name of ['000001.sst', '000002.wal', 'manifest']) assertGolden(`dump-${name}.txt`, await withoutSalts(name));
  const lines = (await run('dump', join(directory, '000001.sst'), '-w', 'json')).out.trim().split('\n');
  assert.deepEqual(JSON.parse(lines.at(-1) as string), {
    offset: 0,
    what: 'delete',
    fields: { keyspace: 1, key: Buffer.from('banana').toString('base64'), version: 7 },
  });
  assert.match((await run('dump', join(directory, 'other'))).err, /is no file of a store by its name/);
});

test('verify says what is damaged and ends with 1; repair makes the store sound again', async (t) => {
  const directory = await makeStore(t);
  assert.match((await run('verify', directory)).out, /^tables: 1 \(\d+ B\), segments of the log: 1, no damage\n$/);
  assert.equal((await run('repair', directory)).out, `${directory} is sound; nothing was changed\n`);
  const table = join(directory, '000001.sst');
  damage(table, 3);
  const { code, out, err } = await run('verify', directory);
  assert.deepEqual([code, err], [1, `Error: ${directory} is damaged (faults: 1)\n`]);
  assert.ok(out.startsWith(`${table} at byte 0: a block whose checksum does not match\n  in a cluster, remove this member`));
  assert.match((await run('verify', directory, '-w', 'json')).out, /"kind":"corrupt"/);
  assert.equal(
    (await run('repair', directory)).out,
    `repaired: entries 1, tables 1\nlost: tables 0, blocks of other tables 1, bytes of the log 0\nthe files as they were are in ${directory}/lost/1; remove them when nobody needs them any more\n`,
  );
  assert.equal((await run('verify', directory)).code, 0);
  rmSync(join(directory, 'manifest'));
  rmSync(join(directory, 'lost'), { recursive: true });
  assert.equal((await run('repair', directory)).code, 1);
  assert.equal((await run('repair', directory, '--keyspace', 'data')).code, 2);
  assert.match((await run('repair', directory, '--keyspace', 'data=caller', '--keyspace', 'meta=latest')).out, /^repaired: entries 1,/);
});

test('repair keeps away from a store that a process holds, its own lock or that of the data directory above', async (t) => {
  const directory = await makeStore(t);
  damage(join(directory, '000001.sst'), 3);
  assert.match((await run('verify', directory)).err, /is damaged \(faults: 1\)\n$/);
  assert.deepEqual(readdirSync(directory).sort(), ['000001.sst', '000002.wal', 'manifest'], 'verify makes no file');
  const lock = await createNodeEnv().fs.lock(join(directory, 'LOCK'));
  const { code, err } = await run('repair', directory);
  assert.equal(code, 1);
  assert.match(err, /locked/);
  assert.match((await run('verify', directory)).err, /is damaged \(faults: 1\), or was changed meanwhile: a process works on it/);
  await lock.release();
  assert.equal((await run('repair', directory)).code, 0);
});

test('a terminal sees how far verifying is', async (t) => {
  const host = new FakeHost({ terminal: true });
  assert.equal(await runCommandLine(['lsm', 'verify', await makeStore(t)], host), 0);
  assert.match(host.err, /^(\r\[#* *\] \d+ %)*\r\[#+\] 100 %\n$/);
});

/** Asks to stop as soon as standard error tells of `text`. */
function stopAt(host: FakeHost, text: string): void {
  const write = host.stderr.write.bind(host.stderr);
  host.stderr.write = (data) => {
    write(data);
    if (String(data).includes(text)) host.requestStop('SIGINT');
  };
}

test('verifying that is stopped says how far it came, on a line of its own', async (t) => {
  const host = new FakeHost({ terminal: true });
  stopAt(host, '%');
  assert.equal(await runCommandLine(['lsm', 'verify', await makeStore(t)], host), 1);
  assert.match(host.err, /\d+ %\nError: stopped when \d+ % were read; whether .* is sound is not known\n$/);
});

test('a bench that is stopped leaves nothing behind', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-bench-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const host = new FakeHost({ terminal: true });
  stopAt(host, 'fill random');
  assert.equal(await runCommandLine(['lsm', 'bench', '--keys', '20000', '--dir', directory], host), 1);
  assert.match(host.err, /fill random, batches of 1000 *\nError: stopped; nothing is left behind\n$/);
  assert.deepEqual(readdirSync(directory), []);
});

test('what is no store is told in a line', async (t) => {
  const nowhere = join(await makeStore(t), 'nowhere');
  for (const argv of [
    ['inspect', nowhere],
    ['dump', nowhere],
    ['dump', join(nowhere, 'manifest')],
    ['verify', nowhere],
    ['repair', nowhere],
    ['repair', join(nowhere, 'deeper')],
    ['bench', '--dir', nowhere],
  ]) {
    const { code, out, err } = await run(...argv);
    assert.deepEqual([code, out], [1, ''], argv.join(' '));
    assert.match(err, /^Error: .*nowhere.*\n$/, argv.join(' '));
    assert.ok(!err.includes('lock'), err);
  }
});

test('the data directory of a member stands for the store in it', async (t) => {
  const member = mkdtempSync(join(tmpdir(), 'distrokv-lsm-'));
  t.after(() => rmSync(member, { recursive: true }));
  cpSync(await makeStore(t), join(member, 'db'), { recursive: true });
  writeFileSync(join(member, 'VERSION'), 'distrokv 1\n');
  for (const command of ['inspect', 'verify']) {
    const ofStore = await run(command, join(member, 'db'));
    assert.equal(ofStore.code, 0, command);
    assert.deepEqual(await run(command, `${member}/`), ofStore, command);
  }
  assert.match((await run('repair', member)).out, /\/db is sound; nothing was changed\n$/);
});

test('a directory without a store is left as it is', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-lsm-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'mine'), '');
  for (const command of ['inspect', 'verify', 'repair']) {
    assert.match((await run(command, directory)).err, /^Error: .* holds no store/, command);
    assert.deepEqual(readdirSync(directory), ['mine'], command);
  }
});

test('bench measures every workload and leaves nothing behind', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-bench-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { code, out } = await run('bench', '--keys', '2000', '--value-bytes', '10', '--dir', directory, '-w', 'json');
  assert.equal(code, 0);
  assert.equal((JSON.parse(out) as unknown[]).length, 6);
  assert.deepEqual(readdirSync(directory), []);
  writeFileSync(join(directory, 'mine'), '');
  assert.equal((await run('bench', '--dir', directory)).code, 1);
  assert.deepEqual(readdirSync(directory), ['mine']);
  assert.equal((await run('bench', '--keys', 'many')).code, 2);
});
