// Emits what people read of a .proto file: interfaces, enums, message types and services, with the file's own comments.
import { camel, resolve, stem } from './names.mjs';

export function emitTypes(files, file) {
  const imports = new Map();
  const use = (type) => {
    if (type.file !== undefined && type.file !== file) {
      const from = imports.get(type.file) ?? new Set();
      imports.set(type.file, from.add(type.name));
    }
    return type.ts;
  };
  const body = [
    ...file.enums.map(emitEnum),
    ...file.messages.map((message) => emitMessage(files, file, message, use)),
    ...file.services.map((service) => emitService(files, file, service, use)),
  ];
  const methodImport = file.services.length > 0 ? 'MessageType, Method' : 'MessageType';
  return [
    `// Generated from proto/${file.name} by generator/main.mjs: change that and run \`npm run generate\`.`,
    ...file.comment.split('\n').map((line) => `// ${line}`),
    `import { messageType } from '../codec.ts';`,
    `import type { ${methodImport} } from '../message.ts';`,
    ...[...imports].map(([from, names]) => `import type { ${[...names].join(', ')} } from './${stem(from)}.ts';`),
    `import * as codec from './${stem(file)}.codec.ts';`,
    '',
    ...body,
  ].join('\n');
}

/** A doc comment, or nothing. */
export function doc(comment) {
  if (comment === '') return '';
  const lines = comment.split('\n');
  return lines.length === 1 ? `/** ${comment} */\n` : `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

/** Enums are open (proto3): a number that a later version has given a name to is kept, so the type is just a number. */
function emitEnum({ comment, name, values }) {
  const members = values.map((value) => `${doc(value.comment)}${value.name}: ${value.number},\n`).join('');
  const types = values.map((value) => `readonly ${value.name}: ${value.number};`).join(' ');
  const about = doc(`${comment === '' ? '' : `${comment}\n`}Open: a number without a name here may come from a later version.`);
  return `${about}export type ${name} = number;\nexport const ${name}: { ${types} } = {\n${members}};\n`;
}

function emitMessage(files, file, message, use) {
  const { name } = message;
  const type = `export const ${name}: MessageType<${name}> = messageType('${file.package}.${name}', codec.create${name}, codec.read${name}, codec.write${name});\n`;
  const fields = properties(message).map(
    (property) => `${doc(property.comment)}readonly ${property.name}: ${propertyType(files, file, message, property, use)};\n`,
  );
  if (fields.length === 0) return `${doc(message.comment)}export type ${name} = Readonly<Record<string, never>>;\n${type}`;
  return `${doc(message.comment)}export interface ${name} {\n${fields.join('')}}\n${type}`;
}

/** The properties of a message in TypeScript: its fields, and in the place of its first case each oneof. */
export function properties(message) {
  const result = [];
  for (const field of message.fields) {
    if (field.oneof === undefined) result.push({ name: camel(field.name), comment: field.comment, field });
    else if (!result.some((other) => other.oneof === field.oneof)) {
      const { comment } = message.oneofs.find((oneof) => oneof.name === field.oneof);
      const cases = message.fields.filter((other) => other.oneof === field.oneof);
      result.push({ name: camel(field.oneof), comment, oneof: field.oneof, cases });
    }
  }
  return result;
}

export function propertyType(files, file, message, { field, cases }, use) {
  const typeOf = (each) => resolve(files, file, each.type, { jsNumber: each.jsNumber, scope: message.name });
  if (cases !== undefined) {
    return [...cases.map((each) => `{ readonly case: '${camel(each.name)}'; readonly value: ${use(typeOf(each))} }`), 'undefined'].join(
      ' | ',
    );
  }
  const type = typeOf(field);
  const ts = use(type);
  if (field.mapKey !== undefined) return `ReadonlyMap<${resolve(files, file, field.mapKey).ts}, ${ts}>`;
  if (field.repeated) return `readonly ${ts}[]`;
  return type.kind === 'message' ? `${ts} | undefined` : ts;
}

function emitService(files, file, service, use) {
  const typeName = `${file.package}.${service.name}`;
  const methods = service.methods.map((method) => {
    const request = use(resolve(files, file, method.request));
    const response = use(resolve(files, file, method.response));
    const kind = method.requestStream
      ? method.responseStream
        ? 'bidi-stream'
        : 'client-stream'
      : method.responseStream
        ? 'server-stream'
        : 'unary';
    return { ...method, key: camel(method.name), request, response, kind };
  });
  const types = methods.map((m) => `${doc(m.comment)}readonly ${m.key}: Method<${m.request}, ${m.response}, '${m.kind}'>;\n`);
  const values = methods.map(
    (m) => `${m.key}: { path: '/${typeName}/${m.name}', kind: '${m.kind}', request: ${m.request}, response: ${m.response} },\n`,
  );
  return (
    `${doc(service.comment)}export const ${service.name}: {\nreadonly typeName: '${typeName}';\nreadonly methods: {\n${types.join('')}};\n} = {\n` +
    `typeName: '${typeName}',\nmethods: {\n${values.join('')}},\n};\n`
  );
}
