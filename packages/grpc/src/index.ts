export type * from './types.ts';
export * from './status.ts';
