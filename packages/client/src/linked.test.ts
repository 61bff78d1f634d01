// A signal for several keeps nothing of theirs, and leaves nothing with them.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { LinkedSignal } from './linked.ts';

test('it is aborted with the first of them, for the same reason', () => {
  const [a, b] = [new AbortController(), new AbortController()];
  using linked = new LinkedSignal(a.signal, undefined, b.signal);
  assert.equal(linked.signal.aborted, false);
  b.abort('why');
  a.abort('another');
  assert.deepEqual([linked.signal.aborted, linked.signal.reason], [true, 'why']);
  using late = new LinkedSignal(b.signal);
  assert.deepEqual([late.signal.aborted, late.signal.reason], [true, 'why']);
});

test('a signal that lives long has no listener of those that are over', () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 100; i++) {
    using linked = new LinkedSignal(signal, new AbortController().signal);
    assert.equal(getEventListeners(linked.signal, 'abort').length, 0);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
