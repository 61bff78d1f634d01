// The walls hold: each kind of violation, planted in a copy of the repository's settings, fails the build or the lint; clean code passes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Violation {
  readonly what: string;
  readonly file: string;
  readonly code: string;
  readonly stoppedBy: 'tsc' | 'oxlint' | 'walls';
}

const violations: readonly Violation[] = [
  ...['base', 'raft', 'proto', 'http2'].map((name): Violation => {
    return {
      what: `${name} imports node:`,
      file: `packages/${name}/src/a.ts`,
      code: "export { readFileSync } from 'node:fs';",
      stoppedBy: 'tsc',
    };
  }),
  { what: 'raft sets a timer', file: 'packages/raft/src/b.ts', code: 'export const x: unknown = setTimeout;', stoppedBy: 'tsc' },
  { what: 'raft reads the clock', file: 'packages/raft/src/c.ts', code: 'export const x: number = Date.now();', stoppedBy: 'oxlint' },
  { what: 'lsm reads the clock', file: 'packages/lsm/src/a.ts', code: 'export const x: Date = new Date();', stoppedBy: 'oxlint' },
  { what: 'lsm measures time', file: 'packages/lsm/src/b.ts', code: 'export const x: number = performance.now();', stoppedBy: 'oxlint' },
  { what: 'mvcc rolls dice', file: 'packages/mvcc/src/a.ts', code: 'export const x: number = Math.random();', stoppedBy: 'oxlint' },
  {
    what: 'mvcc hides its dice',
    file: 'packages/mvcc/src/b.ts',
    code: 'const { random } = Math;\nexport const x: number = random();',
    stoppedBy: 'oxlint',
  },
  {
    what: 'server sets a timer',
    file: 'packages/server/src/a.ts',
    code: 'export const x: unknown = setInterval(() => {}, 1);',
    stoppedBy: 'oxlint',
  },
  {
    what: 'server hides its timer',
    file: 'packages/server/src/b.ts',
    code: 'export const x: unknown = globalThis.setTimeout;',
    stoppedBy: 'oxlint',
  },
  {
    what: 'server waits in a microtask',
    file: 'packages/server/src/c.ts',
    code: 'queueMicrotask(() => {});\nexport {};',
    stoppedBy: 'oxlint',
  },
  {
    what: 'server reads the process',
    file: 'packages/server/src/d.ts',
    code: 'export const x: number = process.pid;',
    stoppedBy: 'oxlint',
  },
  { what: 'lsm opens files', file: 'packages/lsm/src/c.ts', code: "export { readFileSync } from 'node:fs';", stoppedBy: 'oxlint' },
  { what: 'lsm starts threads', file: 'packages/lsm/src/t.ts', code: "export { Worker } from 'node:worker_threads';", stoppedBy: 'oxlint' },
  {
    what: 'lsm opens files later',
    file: 'packages/lsm/src/d.ts',
    code: "export const x: unknown = await import('node:fs/promises');",
    stoppedBy: 'oxlint',
  },
  {
    what: 'server imports timers',
    file: 'packages/server/src/e.ts',
    code: "export { setTimeout } from 'node:timers/promises';",
    stoppedBy: 'oxlint',
  },
  {
    what: 'server takes random bytes',
    file: 'packages/server/src/f.ts',
    code: "export { randomBytes } from 'node:crypto';",
    stoppedBy: 'oxlint',
  },
  {
    what: "env's simulated world reads the clock",
    file: 'packages/env/src/memory/a.ts',
    code: 'export const x: number = Date.now();',
    stoppedBy: 'oxlint',
  },
  { what: 'env imports lsm, a floor above it', file: 'packages/env/src/b.ts', code: "export * from '@distrokv/lsm';", stoppedBy: 'walls' },
  {
    what: 'raft imports env, of its own floor',
    file: 'packages/raft/src/d.ts',
    code: "import type { Env } from '@distrokv/env';\nexport type X = Env;",
    stoppedBy: 'walls',
  },
  {
    what: 'a test imports a floor above it',
    file: 'packages/lsm/src/a.test.ts',
    code: "export * from '@distrokv/server';",
    stoppedBy: 'walls',
  },
  {
    what: 'mvcc imports a library that it does not declare',
    file: 'packages/mvcc/src/c.ts',
    code: "export { parse } from 'yaml';",
    stoppedBy: 'walls',
  },
  {
    what: 'lsm imports past an index',
    file: 'packages/lsm/src/e.ts',
    code: "export * from '@distrokv/base/dist/bytes.js';",
    stoppedBy: 'tsc',
  },
  {
    what: 'lsm imports past an index, into sources',
    file: 'packages/lsm/src/f.ts',
    code: "export * from '@distrokv/base/src/bytes.ts';",
    stoppedBy: 'walls',
  },
  {
    what: 'lsm reaches into a neighbour',
    file: 'packages/lsm/src/g.ts',
    code: "export * from '../../base/src/bytes.ts';",
    stoppedBy: 'walls',
  },
  { what: 'a file imports test code', file: 'packages/lsm/src/h.ts', code: "export * from './testing/model.ts';", stoppedBy: 'walls' },
  {
    what: 'a promise is left alone',
    file: 'packages/server/src/g.ts',
    code: 'export function x(): void {\n  Promise.reject(new Error());\n}',
    stoppedBy: 'oxlint',
  },
  { what: 'anything goes', file: 'packages/server/src/h.ts', code: 'export const x: any = 1;', stoppedBy: 'oxlint' },
];

const clean: Readonly<Record<string, string>> = {
  'packages/base/src/clean.ts': 'export const x = 1;',
  'packages/base/src/bytes.ts': 'export const bytes = 1;',
  'packages/lsm/src/clean.ts':
    "import { utf8 } from '@distrokv/base';\nimport type { Env } from '@distrokv/env';\nexport type X = Env;\nexport const x: unknown = utf8('x');",
  'packages/lsm/src/threads.ts': "export { Worker } from 'node:worker_threads';",
  'packages/lsm/src/testing/model.ts': 'export const model = 1;',
  'packages/lsm/src/clean.test.ts': "import { test } from 'node:test';\ntest('now', () => void Date.now());",
  'packages/env/src/node/clean.ts': 'export const x: number = Date.now();',
};

const copy = mkdtempSync(join(tmpdir(), 'distrokv-walls-'));
after(() => rmSync(copy, { recursive: true }));

function plant(file: string, code: string): void {
  const path = join(copy, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${code}\n`);
}

/** The output of one of the repository's tools, run in the copy. */
function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  return stdout + stderr;
}

for (const file of ['.oxlintrc.json', 'package.json', 'tsconfig.base.json', 'scripts'])
  cpSync(join(root, file), join(copy, file), { recursive: true });
for (const name of readdirSync(join(root, 'packages'))) {
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, 'packages', name, file), join(copy, 'packages', name, file));
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
for (const { file, code } of violations) plant(file, code);
for (const [file, code] of Object.entries(clean)) plant(file, code);

const tsc = ['base', 'raft', 'proto', 'http2', 'lsm']
  .map((name) => run('node_modules/typescript/bin/tsc', '-p', `packages/${name}`, '--noEmit'))
  .join('\n');
const findings = {
  tsc,
  oxlint: run('node_modules/oxlint/bin/oxlint', '--format=unix', 'packages'),
  walls: run('--input-type=module', '-e', "import { brokenWalls } from './scripts/walls.mjs';\nconsole.log(brokenWalls('.').join('\\n'));"),
};

function complains(tool: keyof typeof findings, file: string): boolean {
  return findings[tool].split('\n').some((line) => line.startsWith(file));
}

for (const { what, file, stoppedBy } of violations) {
  test(`${stoppedBy} stops it: ${what}`, () => {
    assert.ok(complains(stoppedBy, file), `${stoppedBy} says nothing of ${file}:\n${findings[stoppedBy]}`);
  });
}

test('clean code passes', () => {
  for (const tool of ['tsc', 'oxlint', 'walls'] as const) {
    for (const file of Object.keys(clean)) assert.ok(!complains(tool, file), `${tool} complains about ${file}:\n${findings[tool]}`);
  }
});
