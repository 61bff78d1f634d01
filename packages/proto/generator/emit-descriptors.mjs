// Emits what a .proto file says about itself in protobuf's own form (FileDescriptorProto of descriptor.proto), which server
// reflection hands to clients that have no .proto files.
import { resolve } from './names.mjs';

const FIELD_TYPES = { int64: 3, uint64: 4, int32: 5, bool: 8, string: 9, message: 11, bytes: 12, uint32: 13, enum: 14 };
const OPTIONAL = 1;
const REPEATED = 3;
const JS_NUMBER = 2;

export function emitDescriptors(files) {
  const emitted = files.map((file) => {
    const bytes = Buffer.from(fileDescriptor(files, file)).toString('base64');
    return `{ name: '${file.name}', imports: ${JSON.stringify(file.imports)}, symbols: ${JSON.stringify(symbolsOf(file))}, base64: '${bytes}' },\n`;
  });
  return [
    '// Generated from proto/*.proto by generator/main.mjs: change these and run `npm run generate`.',
    '',
    '/** A .proto file as protobuf describes it: what server reflection answers with. */',
    'export interface FileDescriptor {',
    '  readonly name: string;',
    '  readonly imports: readonly string[];',
    '  /** Full names of its messages, enums, services and methods. */',
    '  readonly symbols: readonly string[];',
    '  /** FileDescriptorProto, encoded. */',
    '  readonly base64: string;',
    '}',
    '',
    `export const fileDescriptors: readonly FileDescriptor[] = [\n${emitted.join('')}];`,
    '',
  ].join('\n');
}

function symbolsOf(file) {
  const names = [
    ...file.messages.map((message) => message.name),
    ...file.enums.map(protoPath),
    ...file.services.flatMap((service) => [service.name, ...service.methods.map((method) => `${service.name}.${method.name}`)]),
  ];
  return names.map((name) => `${file.package}.${name}`);
}

const protoPath = (each) => (each.scope === '' ? each.protoName : `${each.scope}.${each.protoName}`);

function fileDescriptor(files, file) {
  return [
    ...text(1, file.name),
    ...text(2, file.package),
    ...file.imports.flatMap((name) => text(3, name)),
    ...file.messages.flatMap((message) => nested(4, messageDescriptor(files, file, message))),
    ...file.enums.filter((each) => each.scope === '').flatMap((each) => nested(5, enumDescriptor(each))),
    ...file.services.flatMap((service) => nested(6, serviceDescriptor(files, file, service))),
    ...text(12, 'proto3'),
  ];
}

function messageDescriptor(files, file, message) {
  const maps = message.fields.filter((field) => field.mapKey !== undefined);
  return [
    ...text(1, message.name),
    ...message.fields.flatMap((field) => nested(2, fieldDescriptor(files, file, message, field))),
    ...maps.flatMap((field) => nested(3, entryDescriptor(files, file, message, field))),
    ...file.enums.filter((each) => each.scope === message.name).flatMap((each) => nested(4, enumDescriptor(each))),
    ...message.oneofs.flatMap((oneof) => nested(8, text(1, oneof.name))),
  ];
}

function fieldDescriptor(files, file, message, field) {
  const isMap = field.mapKey !== undefined;
  const type = isMap
    ? { kind: 'message', typeName: `.${file.package}.${message.name}.${entryName(field)}` }
    : typeOf(files, file, message, field.type);
  const oneof = message.oneofs.findIndex(({ name }) => name === field.oneof);
  return [
    ...text(1, field.name),
    ...varintField(3, field.number),
    ...varintField(4, field.repeated || isMap ? REPEATED : OPTIONAL),
    ...varintField(5, FIELD_TYPES[type.kind]),
    ...(type.typeName === undefined ? [] : text(6, type.typeName)),
    ...(field.jsNumber ? nested(8, varintField(6, JS_NUMBER)) : []),
    ...(oneof < 0 ? [] : varintField(9, oneof)),
  ];
}

/** A map is a list of messages that protobuf knows to be entries. */
function entryDescriptor(files, file, message, field) {
  const parts = [
    { name: 'key', number: 1, type: field.mapKey },
    { name: 'value', number: 2, type: field.type },
  ];
  return [
    ...text(1, entryName(field)),
    ...parts.flatMap((part) => nested(2, fieldDescriptor(files, file, message, part))),
    ...nested(7, varintField(7, 1)),
  ];
}

/** protoc's name for it. */
const entryName = (field) =>
  `${field.name
    .split('_')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join('')}Entry`;

function typeOf(files, file, message, type) {
  if (type in FIELD_TYPES) return { kind: type };
  const { kind, name, file: home } = resolve(files, file, type, { scope: message.name });
  const path = kind === 'enum' ? protoPath(home.enums.find((each) => each.name === name)) : name;
  return { kind, typeName: `.${home.package}.${path}` };
}

function enumDescriptor(each) {
  return [
    ...text(1, each.protoName),
    ...each.values.flatMap(({ name, number }) => nested(2, [...text(1, name), ...varintField(2, number)])),
  ];
}

function serviceDescriptor(files, file, service) {
  const typeName = (type) => `.${resolve(files, file, type).file.package}.${resolve(files, file, type).name}`;
  const methods = service.methods.map((method) => [
    ...text(1, method.name),
    ...text(2, typeName(method.request)),
    ...text(3, typeName(method.response)),
    ...(method.requestStream ? varintField(5, 1) : []),
    ...(method.responseStream ? varintField(6, 1) : []),
  ]);
  return [...text(1, service.name), ...methods.flatMap((method) => nested(2, method))];
}

// --- protobuf, as little of it as descriptors need ---

function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number & 127) | 128);
  return [...bytes, number];
}

const varintField = (field, number) => [...varint(field * 8), ...varint(number)];
const nested = (field, bytes) => [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
const text = (field, string) => nested(field, [...Buffer.from(string)]);
