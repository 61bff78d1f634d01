export * from './config.ts';
export * from './errors.ts';
export type * from './running.ts';
export type { TlsConfig } from './tls-files.ts';
// The parts of a member, for who runs it in another world (packages/sim).
export { Member, type MemberOptions } from './member.ts';
export { openStorage, type Storage, type StorageOptions, type StorageSizes } from './storage.ts';
export type { ReceivedSnapshot } from './snapshot/receiver.ts';
export type * from './transport.ts';
export { startServer } from './start.ts';
export { ETCD_API_VERSION } from './services/maintenance.ts';
