// Generated from proto/auth.proto by generator/main.mjs: change that and run `npm run generate`.
// What the auth store keeps of users and roles. Wire-compatible with etcd's authpb.
import { messageType } from '../codec.ts';
import type { MessageType } from '../message.ts';
import * as codec from './auth.codec.ts';

/** Open: a number without a name here may come from a later version. */
export type PermissionType = number;
export const PermissionType: { readonly READ: 0; readonly WRITE: 1; readonly READWRITE: 2 } = {
  READ: 0,
  WRITE: 1,
  READWRITE: 2,
};

export interface UserAddOptions {
  /** The user has no password and is known by its certificate alone. */
  readonly noPassword: boolean;
}
export const UserAddOptions: MessageType<UserAddOptions> = messageType(
  'authpb.UserAddOptions',
  codec.createUserAddOptions,
  codec.readUserAddOptions,
  codec.writeUserAddOptions,
);

export interface User {
  readonly name: Uint8Array;
  /** A bcrypt hash, never the password. */
  readonly password: Uint8Array;
  /** Names of the roles that the user has, sorted. */
  readonly roles: readonly string[];
  readonly options: UserAddOptions | undefined;
}
export const User: MessageType<User> = messageType('authpb.User', codec.createUser, codec.readUser, codec.writeUser);

/** What a role may do with the keys in [key, range_end); the conventions on range_end are those of a RangeRequest. */
export interface Permission {
  readonly permType: PermissionType;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}
export const Permission: MessageType<Permission> = messageType(
  'authpb.Permission',
  codec.createPermission,
  codec.readPermission,
  codec.writePermission,
);

export interface Role {
  readonly name: Uint8Array;
  /** Sorted by key. */
  readonly keyPermission: readonly Permission[];
}
export const Role: MessageType<Role> = messageType('authpb.Role', codec.createRole, codec.readRole, codec.writeRole);
