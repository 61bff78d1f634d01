// `base`: what every other package stands on. Pure: it knows no host, opens nothing, keeps no time.
export * from './assert.ts';
export * from './bytes.ts';
export * from './checksum.ts';
export * from './deferred.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './random.ts';
export * from './varint.ts';
