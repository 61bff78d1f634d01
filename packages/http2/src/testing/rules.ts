// What the tests of RFC 9113 are written in: a rule, and the ways in which a peer can break one. Each runs twice: with the frames handed in at
// once, and byte by byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headers, literals } from './frames.ts';
import { Probe, type ProbeOptions, request } from './probe.ts';
import type { HeaderList } from '../types.ts';

export type Ready = (role: 'client' | 'server', options?: ProbeOptions) => Probe;

/** One test, with frames whole and byte by byte. */
export function rule(name: string, check: (ready: Ready, raw: Ready) => void): void {
  for (const bytewise of [false, true]) {
    test(bytewise ? `${name} (byte by byte)` : name, () => {
      check(
        (role, options) => Probe.ready(role, { ...options, bytewise }),
        (role, options) => new Probe(role, { ...options, bytewise }),
      );
    });
  }
}

/** The server ends the connection with `code` when it gets `frames` after the handshake. */
export function serverFails(name: string, code: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → connection error ${code}`, (ready) => {
    const probe = ready('server');
    probe.send(...frames);
    probe.assertConnectionError(code);
  });
}

/** The server ends stream 1 with `code` when it gets `frames` after an open request. */
export function streamFails(name: string, code: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → stream error ${code}`, (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(...frames);
    assert.equal(probe.events().at(-1), `reset 1 ${code} by local`);
    probe.assertStreamError(1, code);
    assert.equal(probe.stream(1).closed, true);
  });
}

/** A request that never reaches the handler. */
export function requestFails(name: string, list: HeaderList, flags = 0): void {
  rule(`${name} → stream error PROTOCOL_ERROR`, (ready) => {
    const probe = ready('server');
    probe.send(headers(1, list, flags));
    assert.deepEqual(probe.events(), []);
    probe.assertStreamError(1, 'PROTOCOL_ERROR');
  });
}

export function responseFails(name: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → stream error PROTOCOL_ERROR`, (ready) => {
    const probe = ready('client');
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.send(...frames);
    assert.equal(probe.events().at(-1), 'reset 1 PROTOCOL_ERROR by local');
    probe.assertStreamError(1, 'PROTOCOL_ERROR');
  });
}

export const without: (name: string) => HeaderList = (name) => request.filter((_, i) => request[i - (i % 2)] !== name);
export const fragment: Uint8Array = literals(request);
