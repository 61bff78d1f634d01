export * from './config.ts';
export * from './errors.ts';
export type * from './running.ts';
export { startServer } from './start.ts';
export { ETCD_API_VERSION } from './services/maintenance.ts';
