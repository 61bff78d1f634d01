export type * from './messages.ts';
export type * from './types.ts';
