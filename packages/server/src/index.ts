export * from './config.ts';
export * from './errors.ts';
export type * from './running.ts';
