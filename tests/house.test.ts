// The rules of the house that neither the compiler nor the lint knows, as tests ("tidy", after TigerBeetle's).
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The floors, from the ground up: a package may depend on those named beside it, and on `base` (the plan of the house, section 2). */
const floors: Readonly<Record<string, readonly string[]>> = {
  base: [],
  env: [],
  lsm: ['env'],
  'abstract-level': ['env', 'lsm'],
  raft: [],
  proto: [],
  http2: [],
  grpc: ['http2', 'proto', 'env'],
  mvcc: ['lsm', 'proto'],
  server: ['env', 'lsm', 'raft', 'proto', 'grpc', 'mvcc'],
  sim: ['env', 'raft', 'proto', 'grpc', 'server'],
  client: ['env', 'grpc', 'proto'],
  distrokv: ['env', 'lsm', 'server', 'client'],
};
const pure = ['base', 'raft', 'proto', 'http2'];

interface Manifest {
  readonly name: string;
  readonly type: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Project {
  readonly references: readonly { readonly path: string }[];
  readonly compilerOptions: { readonly types: readonly string[] };
}

interface Lockfile {
  readonly packages: Readonly<
    Record<string, Pick<Manifest, 'optionalDependencies'> & { readonly hasInstallScript?: boolean; readonly dev?: boolean }>
  >;
}

function readJson<T>(...path: string[]): T {
  return JSON.parse(textOf(join(...path))) as T;
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|dist|generated|\.git|\.cache|.*\.distrokv)$/.test(entry.name) ? [] : filesIn(path);
    return [path.replace(/^\.\//, '')];
  });
}

const code = filesIn('.').filter((file) => /\.(ts|mjs)$/.test(file));
const packages = readdirSync(join(root, 'packages'));
const namesOf = (dependencies: object = {}): string[] => Object.keys(dependencies).filter((name) => name.startsWith('@distrokv/'));

test('every package stands on a floor', () => {
  assert.deepEqual([...packages].sort(), Object.keys(floors).sort());
});

for (const name of packages) {
  describe(name, () => {
    const manifest = readJson<Manifest>('packages', name, 'package.json');
    const project = readJson<Project>('packages', name, 'tsconfig.json');

    test('depends only on floors below it, and is compiled after exactly these', () => {
      const allowed = ['base', ...(floors[name] ?? [])].filter((each) => each !== name).map((each) => `@distrokv/${each}`);
      const dependencies = namesOf(manifest.dependencies);
      assert.deepEqual(
        dependencies.filter((each) => !allowed.includes(each)),
        [],
      );
      assert.deepEqual(project.references.map(({ path }) => path.replace('../', '@distrokv/')).sort(), dependencies.sort());
      assert.deepEqual(project.compilerOptions.types, pure.includes(name) ? [] : ['node']);
    });

    test('has a README that says what it may import (but for `base`, which all may)', () => {
      const said = /^May import:? ([^.]*)\./m.exec(textOf(`packages/${name}/README.md`))?.[1] ?? '';
      const named = [...said.matchAll(/`([^`]+)`/g)].map(([, each]) => `@distrokv/${each}`);
      const but = (names: readonly string[]): string[] => names.filter((each) => each !== '@distrokv/base').sort();
      assert.deepEqual(but(named), but(namesOf(manifest.dependencies)), 'the README needs a line "May import: `x`, `y`."');
    });

    test('is published closed, whole and without scripts', () => {
      assert.equal(manifest.name, name === 'distrokv' ? name : `@distrokv/${name}`);
      assert.equal(manifest.type, 'module');
      assert.equal(manifest.license, 'MIT');
      assert.equal(manifest.engines.node, '>=20.19');
      assert.deepEqual(Object.keys(manifest.exports), ['.', './package.json']);
      assert.ok(manifest.files.includes('dist') && manifest.files.includes('src'));
      assert.equal(manifest.scripts, undefined);
      assert.equal(manifest.devDependencies, undefined, 'what tests need belongs to the root');
    });
  });
}

test('every version is pinned', () => {
  for (const folder of ['.', ...packages.map((name) => `packages/${name}`)]) {
    const { dependencies, devDependencies, optionalDependencies } = readJson<Manifest>(folder, 'package.json');
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, `${name} in ${folder}`);
    }
  }
});

test('npm scripts have no hooks', () => {
  const scripts = Object.keys(readJson<Manifest>('package.json').scripts ?? {});
  assert.deepEqual(
    scripts.filter((name) => /^(pre|post)|^install$|^prepare$/.test(name)),
    [],
  );
});

test('the lock names every optional package, for every platform, or `npm ci` refuses it', () => {
  const { packages: locked } = readJson<Lockfile>('package-lock.json');
  for (const [path, { optionalDependencies = {} }] of Object.entries(locked)) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(
        `node_modules/${name}` in locked || `${path}/node_modules/${name}` in locked,
        `${name}, which ${path} may use, is not in package-lock.json`,
      );
    }
  }
});

test('the lock names no registry', () => {
  assert.doesNotMatch(textOf('package-lock.json'), /"resolved": "http/);
});

test('files are rooms: at most 600 lines', () => {
  assert.deepEqual(
    code.filter((file) => textOf(file).split('\n').length > 600),
    [],
  );
});

test('the first line of a file says what it is', () => {
  const speaksForItself = /(index|errors|\.test)\.ts$/;
  assert.deepEqual(
    code.filter((file) => !speaksForItself.test(file) && !/^(#!.*\n)?\/[/*]/.test(textOf(file))),
    [],
  );
});

test('nothing is left undone, muted or skipped', () => {
  // Written so that this file does not find itself.
  const forbidden = new RegExp(
    [
      'TO' + 'DO',
      'FIX' + 'ME',
      'XX' + 'X',
      '\\.on' + 'ly\\(',
      'on' + 'ly: true',
      '@ts-' + '(ignore|nocheck|expect-error)',
      '(ox|es)lint-' + 'disable',
    ].join('|'),
  );
  for (const file of code) {
    const lines = textOf(file).split('\n');
    for (const [i, line] of lines.entries()) assert.doesNotMatch(line, forbidden, `${file}:${i + 1}`);
  }
});

test('every Markdown link inside the repository leads somewhere', () => {
  for (const file of filesIn('.').filter((each) => each.endsWith('.md'))) {
    for (const [, target] of textOf(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (target === undefined || /^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(root, file, '..', target)), `${relative('.', file)} links to ${target}`);
    }
  }
});
