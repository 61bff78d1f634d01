// Puts at a steady pace from a thread of its own, so that their latencies are the server's and not those of whoever reads a lot beside them.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { etcdserverpb as pb } from '@distrokv/proto';
import { VALUE_BYTES } from './data.mjs';
import { pacedPuts } from './load.mjs';

const { target, perSecond } = workerData;
const puts = pacedPuts(target, perSecond, () => pb.PutRequest.create({ key: Buffer.from('probe'), value: Buffer.alloc(VALUE_BYTES, 'p') }));
await once(parentPort, 'message');
parentPort.postMessage(await puts.stop());
