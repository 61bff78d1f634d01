// The walls between packages. A package imports its own files, by relative paths, and what its package.json depends on, by name. Its tests
// may import every package below it, and what the root has for tests. Which packages may depend on which at all, the floors of
// the house, is checked in tests/house.test.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`, as the common format writes them. */
const importPattern = /^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;

/** One line for each import that breaks a wall. */
export function brokenWalls(root) {
  const packages = packagesOf(root);
  const forTests = Object.keys(manifestOf(root).devDependencies ?? {});
  return packages.flatMap(({ src, name, dependencies }) => {
    const forItsTests = [...below(name, packages), ...forTests];
    return sourcesOf(src).flatMap((file) =>
      importsOf(join(src, file)).flatMap((specifier) => {
        const why = wallBroken(specifier, file, isTest(file) ? forItsTests : dependencies);
        return why === undefined ? [] : [`${relative(root, join(src, file))}: '${specifier}' ${why}`];
      }),
    );
  });
}

export function packagesOf(root) {
  return readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => {
      const { name, dependencies = {} } = manifestOf(join(root, 'packages', folder));
      return { folder, name, dependencies: Object.keys(dependencies), src: join(root, 'packages', folder, 'src') };
    });
}

/** What a package depends on, directly or not. */
function below(name, packages, found = new Set()) {
  for (const each of packages.find((one) => one.name === name)?.dependencies ?? []) {
    if (!found.has(each)) below(each, packages, found.add(each));
  }
  return found;
}

/** What is wrong with an import in `file`, a path inside src/. */
function wallBroken(specifier, file, allowed) {
  if (specifier.startsWith('.')) {
    const target = join(dirname(file), specifier);
    if (target.startsWith('..')) return 'leaves the package';
    if (!target.endsWith('.ts')) return 'does not end in .ts';
    return isTest(target) && !isTest(file) ? 'is test code' : undefined;
  }
  if (specifier.startsWith('node:')) return undefined; // Which of these are allowed is said in .oxlintrc.json.
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (!allowed.includes(name)) return 'is not a dependency of the package';
  return name.startsWith('@distrokv/') && specifier !== name ? 'goes past the index of the package' : undefined;
}

function importsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(importPattern)].map(([, fixed, dynamic]) => fixed ?? dynamic);
}

/** The TypeScript files in a folder and its folders, as paths inside it. */
export function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
}

function isTest(file) {
  return file.endsWith('.test.ts') || file.split(/[/\\]/).includes('testing');
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
