// One log mode's share of the crash enumeration, in a thread of its own: away from the test runner, whose tracking of every promise
// costs more than the engine, and on a second core where there is one.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { WalMode } from '../engine.ts';
import { crashEverywhere } from './crash-images.ts';

const { wal, images } = workerData as { readonly wal: WalMode; readonly images: number };
assert(parentPort !== null, 'this file is a worker');
parentPort.postMessage(await crashEverywhere(wal, images));
