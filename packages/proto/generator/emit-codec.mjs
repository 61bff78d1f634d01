// Emits the straight-line code that makes, reads and writes each message of a .proto file. No table is consulted at run
// time: a field is a `case` when reading and an `if` when writing.
import { properties, propertyType } from './emit-types.mjs';
import { camel, resolve, stem } from './names.mjs';

/** Names that the emitted functions use for themselves. */
const TAKEN = new Set(['r', 'w', 'm', 'end', 'tag', 'before', 'entry', 'fields']);

export function emitCodec(files, file) {
  const messages = file.messages.flatMap((message) => [...entries(message), message]);
  const imports = { types: new Map(), values: new Map(), base: new Set(), codec: new Set(), reader: new Set() };
  const note = (map, from, name) => map.set(from, (map.get(from) ?? new Set()).add(name));
  const context = {
    files,
    file,
    imports,
    /** The empty message of each type that is a field of another: what such a field is read onto. */
    parts: partsOf(files, file),
    useType(type) {
      if (type.file !== undefined && !type.isEntry) note(imports.types, type.file, type.name);
      return type.ts;
    },
    useValue(type, name) {
      if (type.file !== file && !type.isEntry) note(imports.values, type.file, name);
      return name;
    },
  };
  const body = messages.map((message) => emitMessage(context, message));
  for (const message of file.messages) note(imports.types, file, message.name);
  const lines = (kind, map, suffix) =>
    [...map].map(([from, names]) => `import ${kind}{ ${[...names].toSorted().join(', ')} } from './${stem(from)}${suffix}.ts';`);
  const some = (names, from) => (names.size > 0 ? [`import { ${[...names].toSorted().join(', ')} } from '${from}';`] : []);
  return [
    `// Generated from proto/${file.name} by generator/main.mjs: change that and run \`npm run generate\`.`,
    '// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.',
    ...some(imports.base, '@distrokv/base'),
    ...some(imports.codec, '../codec.ts'),
    imports.reader.size > 0
      ? `import { ${[...imports.reader].toSorted().join(', ')}, type Reader } from '../reader.ts';`
      : `import type { Reader } from '../reader.ts';`,
    `import type { Writer } from '../writer.ts';`,
    ...lines('type ', imports.types, ''),
    ...lines('', imports.values, '.codec'),
    '',
    ...body,
  ].join('\n');
}

/** A map is on the wire a repeated message of a key and a value (protobuf "Encoding", Maps). */
function entries(message) {
  return message.fields
    .filter((field) => field.mapKey !== undefined)
    .map((field) => ({
      name: entryName(message, field),
      comment: '',
      oneofs: [],
      isEntry: true,
      fields: [
        { comment: '', name: 'key', number: 1, type: field.mapKey, repeated: false, jsNumber: false },
        { comment: '', name: 'value', number: 2, type: field.type, repeated: false, jsNumber: field.jsNumber },
      ],
    }));
}

const entryName = (message, field) => `${message.name}${camel(field.name)[0].toUpperCase()}${camel(field.name).slice(1)}Entry`;

function partsOf(files, file) {
  const parts = new Set();
  for (const other of files) {
    for (const message of other.messages) {
      for (const field of message.fields) {
        const type = resolve(files, other, field.type, { scope: message.name });
        if (type.kind === 'message' && type.file === file) parts.add(type.name);
        if (field.mapKey !== undefined && other === file) parts.add(entryName(message, field));
      }
    }
  }
  return parts;
}

function emitMessage(context, message) {
  const { name } = message;
  const all = properties(message);
  for (const { name: property } of all)
    if (TAKEN.has(property)) throw new Error(`${name}.${property}: the name is taken by the generated code`);
  const typeOf = (field) => typeOfField(context, message, field);
  const exported = message.isEntry ? '' : 'export ';
  const empty = context.parts.has(name) ? `${exported}const empty${name}: ${name} = create${name}({});\n` : '';
  const shape = message.isEntry
    ? `interface ${name} {\n${all.map((p) => `readonly ${p.name}: ${propertyType(context.files, context.file, message, p, context.useType)};\n`).join('')}}\n`
    : '';
  const defaults = all.map((property) => `${property.name}: ${defaultOf(context, typeOf, property)},\n`).join('');
  const names = all.map((property) => property.name).join(', ');
  const create = `${exported}function create${name}(${all.length > 0 ? 'fields' : '_fields'}: Partial<${name}>): ${name} {\nreturn {${defaults}};\n}\n`;
  const cases = message.fields.map((field) => emitRead(context, message, field, typeOf(field))).join('');
  const known = JSON.stringify(message.fields.map((field) => field.number));
  const loop =
    all.length > 0
      ? `while (r.at < end) {\nconst tag = r.tag();\nswitch (tag) {\n${cases}default:\nr.unknown(tag, ${known});\n}\n}\n`
      : `while (r.at < end) r.unknown(r.tag(), []);\n`;
  const read =
    `${exported}function read${name}(r: Reader, end: number, ${all.length > 0 ? 'before' : '_before'}: ${name}): ${name} {\n` +
    `${all.length > 0 ? `let { ${names} } = before;\n` : ''}${loop}r.leave(end);\nreturn { ${names} };\n}\n`;
  const writes = writeOrder(all).map((property) => emitWrite(context, message, property, typeOf));
  const write = `${exported}function write${name}(${writes.length > 0 ? 'w' : '_w'}: Writer, ${writes.length > 0 ? 'm' : '_m'}: ${name}): void {\n${writes.join('')}}\n`;
  return [shape, create, empty, read, write].filter((part) => part !== '').join('\n');
}

function typeOfField(context, message, field) {
  if (field.mapKey !== undefined) {
    const name = entryName(message, field);
    return { kind: 'message', name, ts: name, isEntry: true, file: context.file, wire: 2 };
  }
  return resolve(context.files, context.file, field.type, { jsNumber: field.jsNumber, scope: message.name });
}

const tagOf = (field, wire) => (field.number << 3) | wire;

/** What `create` gives a property. */
function defaultOf(context, typeOf, { name, field }) {
  if (field === undefined) return `fields.${name}`;
  if (field.mapKey !== undefined) return `fields.${name} ?? ${from(context.imports.codec, 'noEntries')}`;
  if (field.repeated) return `fields.${name} ?? ${from(context.imports.codec, 'noItems')}`;
  const type = typeOf(field);
  if (type.kind === 'message') return `fields.${name}`;
  return `fields.${name} ?? ${type.zero === 'EMPTY' ? from(context.imports.base, 'EMPTY') : type.zero}`;
}

function from(names, name) {
  names.add(name);
  return name;
}

function emitRead(context, message, field, type) {
  const isMessage = type.kind === 'message';
  const read = isMessage ? context.useValue(type, `read${type.name}`) : '';
  const empty = isMessage ? context.useValue(type, `empty${type.name}`) : '';
  const name = camel(field.name);
  const one = isMessage ? `${read}(r, r.enter(), ${empty})` : `r.${type.read}()`;
  const at = (wire) => `case ${tagOf(field, wire)}:\n`;

  if (field.oneof !== undefined) {
    const holder = camel(field.oneof);
    const value = isMessage ? `${read}(r, r.enter(), ${holder}?.case === '${name}' ? ${holder}.value : ${empty})` : one;
    return `${at(type.wire)}${holder} = { case: '${name}', value: ${value} };\nbreak;\n`;
  }
  if (field.mapKey !== undefined) {
    const valueType = resolve(context.files, context.file, field.type);
    if (valueType.kind !== 'message') throw new Error(`${message.name}.${field.name}: a map of ${field.type} is not supported`);
    const fallback = context.useValue(valueType, `empty${valueType.name}`);
    const insert = from(context.imports.reader, 'insert');
    return `${at(2)}{\nconst entry = ${one};\n${name} = ${insert}(${name}, entry.key, entry.value ?? ${fallback});\nbreak;\n}\n`;
  }
  if (field.repeated) {
    const append = `${name} = ${from(context.imports.reader, 'append')}(${name}, ${one});\nbreak;\n`;
    if (type.wire === 2) return `${at(2)}${append}`;
    // A list of numbers comes packed or one by one (protobuf "Encoding", Packed).
    if (type.read !== 'int32') throw new Error(`${message.name}.${field.name}: repeated ${field.type} is not supported`);
    return `${at(2)}${name} = r.packedInt32(${name});\nbreak;\n${at(0)}${append}`;
  }
  if (isMessage) return `${at(2)}${name} = ${read}(r, r.enter(), ${name} ?? ${empty});\nbreak;\n`;
  return `${at(type.wire)}${name} = ${one};\nbreak;\n`;
}

/** Fields go out by number; a oneof where its last case would. */
function writeOrder(all) {
  const last = ({ field, cases }) => (cases === undefined ? field.number : Math.max(...cases.map((each) => each.number)));
  return all.toSorted((a, b) => last(b) - last(a));
}

function emitWrite(context, message, { name, field, cases }, typeOf) {
  const value = `m.${name}`;
  const nested = (type, tag, what) =>
    `const end = w.mark();\n${context.useValue(type, `write${type.name}`)}(w, ${what});\nw.close(${tag}, end);\n`;

  if (cases !== undefined) {
    const arms = cases.map((each) => {
      const type = typeOf(each);
      const tag = tagOf(each, type.wire);
      const body = type.kind === 'message' ? nested(type, tag, `${value}.value`) : `w.${type.write}(${tag}, ${value}.value);\n`;
      return `case '${camel(each.name)}': ${type.kind === 'message' ? `{\n${body}break;\n}` : `\n${body}break;`}\n`;
    });
    return `if (${value} !== undefined) {\nswitch (${value}.case) {\n${arms.join('')}default:\n${from(context.imports.base, 'unreachable')}(${value});\n}\n}\n`;
  }
  const type = typeOf(field);
  const tag = tagOf(field, type.wire);
  if (field.mapKey !== undefined) {
    return `for (const [key, value] of [...${value}].reverse()) {\n${nested(type, tag, '{ key, value }')}}\n`;
  }
  if (field.repeated) {
    if (type.wire === 0) return `if (${value}.length > 0) w.packedInt32(${tagOf(field, 2)}, ${value});\n`;
    const item = `${value}[i] as ${context.useType(type)}`;
    const body = type.kind === 'message' ? nested(type, tag, item) : `w.${type.write}(${tag}, ${item});\n`;
    return `for (let i = ${value}.length - 1; i >= 0; i--) {\n${body}}\n`;
  }
  if (type.kind === 'message') return `if (${value} !== undefined) {\n${nested(type, tag, value)}}\n`;
  return `if (${type.isSet(value)}) w.${type.write}(${tag}, ${value});\n`;
}
