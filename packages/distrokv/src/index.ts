// `distrokv`: what users install. In a program it gives the client; on the command line, everything (bin/distrokv.mjs).
export * from '@distrokv/client';
export { etcdApiVersion, version } from './version.ts';
