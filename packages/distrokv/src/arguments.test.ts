import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeArguments } from './arguments.ts';
import { createProgram } from './program.ts';
import { FakeHost } from './testing/fake-host.ts';

const normal = (...argv: string[]): string[] => normalizeArguments(argv, createProgram(new FakeHost()));

test('one dash does for a long flag, with "=" or without', () => {
  assert.deepEqual(normal('server', '-name', 'n1', '-data-dir=/x'), ['server', '--name', 'n1', '--data-dir', '/x']);
  assert.deepEqual(normal('-endpoints=a:1', 'get', '-prefix', 'k'), ['--endpoints', 'a:1', 'get', '--prefix', 'k']);
  assert.deepEqual(normal('get', '-w=json', 'k', '-w', 'table'), ['get', '-w', 'json', 'k', '-w', 'table']);
});

test('a boolean may say true or false', () => {
  assert.deepEqual(normal('get', 'k', '--prefix=true', '--keys-only=F'), ['get', 'k', '--prefix']);
  assert.throws(() => normal('get', 'k', '--prefix=maybe'), /--prefix: "maybe" is neither true nor false/);
});

test("a boolean of etcd's does not swallow the word behind it", () => {
  assert.deepEqual(normal('server', '--pre-vote', 'node1', '50051'), ['server', '--pre-vote=true', 'node1', '50051']);
  assert.deepEqual(normal('server', '--pre-vote=false'), ['server', '--pre-vote=false']);
});

test('the value of a flag is left alone, whatever it looks like, and so is what follows "--"', () => {
  assert.deepEqual(normal('client', '-key', '-val', '-val', '--op'), ['client', '--key', '-val', '--val', '--op']);
  assert.deepEqual(normal('server', '--quota-backend-bytes', '-1'), ['server', '--quota-backend-bytes', '-1']);
  assert.deepEqual(normal('put', '--', '-prefix', '-w=json'), ['put', '--', '-prefix', '-w=json']);
});

test('a flag of another command is not known, and is left for commander to refuse', () => {
  assert.deepEqual(normal('put', '-prefix', 'k'), ['put', '-prefix', 'k']);
});
