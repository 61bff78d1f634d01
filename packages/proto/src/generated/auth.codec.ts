// Generated from proto/auth.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY } from '@distrokv/base';
import { noItems } from '../codec.ts';
import { append, type Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { Permission, Role, User, UserAddOptions } from './auth.ts';

export function createUserAddOptions(fields: Partial<UserAddOptions>): UserAddOptions {
  return { noPassword: fields.noPassword ?? false };
}

export const emptyUserAddOptions: UserAddOptions = createUserAddOptions({});

export function readUserAddOptions(r: Reader, end: number, before: UserAddOptions): UserAddOptions {
  let { noPassword } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        noPassword = r.bool();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { noPassword };
}

export function writeUserAddOptions(w: Writer, m: UserAddOptions): void {
  if (m.noPassword) w.bool(8, m.noPassword);
}

export function createUser(fields: Partial<User>): User {
  return { name: fields.name ?? EMPTY, password: fields.password ?? EMPTY, roles: fields.roles ?? noItems, options: fields.options };
}

export function readUser(r: Reader, end: number, before: User): User {
  let { name, password, roles, options } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      case 18:
        password = r.bytes();
        break;
      case 26:
        roles = append(roles, r.string());
        break;
      case 34:
        options = readUserAddOptions(r, r.enter(), options ?? emptyUserAddOptions);
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { name, password, roles, options };
}

export function writeUser(w: Writer, m: User): void {
  if (m.options !== undefined) {
    const end = w.mark();
    writeUserAddOptions(w, m.options);
    w.close(34, end);
  }
  for (let i = m.roles.length - 1; i >= 0; i--) {
    w.string(26, m.roles[i] as string);
  }
  if (m.password.length > 0) w.bytes(18, m.password);
  if (m.name.length > 0) w.bytes(10, m.name);
}

export function createPermission(fields: Partial<Permission>): Permission {
  return { permType: fields.permType ?? 0, key: fields.key ?? EMPTY, rangeEnd: fields.rangeEnd ?? EMPTY };
}

export const emptyPermission: Permission = createPermission({});

export function readPermission(r: Reader, end: number, before: Permission): Permission {
  let { permType, key, rangeEnd } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        permType = r.int32();
        break;
      case 18:
        key = r.bytes();
        break;
      case 26:
        rangeEnd = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { permType, key, rangeEnd };
}

export function writePermission(w: Writer, m: Permission): void {
  if (m.rangeEnd.length > 0) w.bytes(26, m.rangeEnd);
  if (m.key.length > 0) w.bytes(18, m.key);
  if (m.permType !== 0) w.int32(8, m.permType);
}

export function createRole(fields: Partial<Role>): Role {
  return { name: fields.name ?? EMPTY, keyPermission: fields.keyPermission ?? noItems };
}

export function readRole(r: Reader, end: number, before: Role): Role {
  let { name, keyPermission } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      case 18:
        keyPermission = append(keyPermission, readPermission(r, r.enter(), emptyPermission));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, keyPermission };
}

export function writeRole(w: Writer, m: Role): void {
  for (let i = m.keyPermission.length - 1; i >= 0; i--) {
    const end = w.mark();
    writePermission(w, m.keyPermission[i] as Permission);
    w.close(18, end);
  }
  if (m.name.length > 0) w.bytes(10, m.name);
}
