// Reads a .proto file (proto3, as far as ours go) into plain objects. What it does not know is an error: nothing is
// silently left out of the generated code.

/**
 * @typedef {{ comment: string, name: string, number: number, type: string, repeated: boolean, mapKey?: string, jsNumber: boolean, oneof?: string }} Field
 * @typedef {{ comment: string, name: string, fields: Field[], oneofs: { name: string, comment: string }[] }} Message
 * @typedef {{ comment: string, name: string, scope: string, protoName: string, values: { comment: string, name: string, number: number }[] }} Enum
 * @typedef {{ comment: string, name: string, request: string, response: string, requestStream: boolean, responseStream: boolean }} Rpc
 * @typedef {{ comment: string, name: string, methods: Rpc[] }} Service
 * @typedef {{ name: string, comment: string, package: string, imports: string[], messages: Message[], enums: Enum[], services: Service[] }} ProtoFile
 */

const TOKEN = /\s+|\/\/ ?(?<comment>[^\n]*)|(?<text>"[^"\n]*")|(?<word>[A-Za-z_][\w.]*)|(?<number>\d+)|(?<sign>[{}()<>[\];=,])/y;

/** Cuts `source` into tokens; the comment lines right before a token go with it. */
function tokenize(source, fileName) {
  const tokens = [];
  let comment = [];
  let line = 1;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < source.length;) {
    const match = TOKEN.exec(source);
    if (match === null)
      throw new Error(`${fileName}:${line}: cannot read ${JSON.stringify(source.slice(tokens.at(-1)?.end ?? 0).slice(0, 40))}`);
    const { groups } = match;
    if (groups.comment !== undefined) comment.push(groups.comment);
    else if (match[0].trim() === '') {
      // An empty line ends a comment that belongs to nothing.
      if (match[0].split('\n').length > 2) comment = [];
    } else {
      tokens.push({ text: match[0], comment: comment.join('\n'), line, end: TOKEN.lastIndex });
      comment = [];
    }
    line += match[0].split('\n').length - 1;
  }
  return tokens;
}

/** @returns {ProtoFile} */
export function parseProto(source, fileName) {
  const tokens = tokenize(source, fileName);
  let at = 0;

  const fail = (what) => {
    throw new Error(`${fileName}:${tokens[at]?.line ?? 'end'}: ${what}, not ${tokens[at]?.text ?? 'the end of the file'}`);
  };
  const peek = () => tokens[at]?.text;
  const accept = (text) => peek() === text && ++at > 0;
  const expect = (text) => accept(text) || fail(`expected ${text}`);
  const take = (pattern, what) => (pattern.test(peek() ?? '') ? tokens[at++].text : fail(`expected ${what}`));
  const word = (what) => take(/^[A-Za-z_][\w.]*$/, what);
  const number = () => Number(take(/^\d+$/, 'a number'));
  const text = () => take(/^"/, 'a text').slice(1, -1);

  const file = { name: fileName, comment: tokens[0]?.comment ?? '', package: '', imports: [], messages: [], enums: [], services: [] };

  /** `scope` is what nested names are told apart by: see flatName. */
  const parseEnum = (scope, comment) => {
    const protoName = word('a name');
    const result = { comment, name: flatName(scope, protoName), scope, protoName, values: [] };
    expect('{');
    while (!accept('}')) {
      const valueComment = tokens[at].comment;
      const name = word('a name');
      expect('=');
      result.values.push({ comment: valueComment, name, number: number() });
      expect(';');
    }
    file.enums.push(result);
  };

  const parseField = (message, oneof) => {
    const { comment } = tokens[at];
    const repeated = oneof === undefined && accept('repeated');
    let type = word('a type');
    let mapKey;
    if (type === 'map') {
      expect('<');
      mapKey = word('a type');
      expect(',');
      type = word('a type');
      expect('>');
    }
    const name = word('a name');
    expect('=');
    const fieldNumber = number();
    let jsNumber = false;
    if (accept('[')) {
      expect('jstype');
      expect('=');
      expect('JS_NUMBER');
      expect(']');
      jsNumber = true;
    }
    expect(';');
    message.fields.push({ comment, name, number: fieldNumber, type, repeated, mapKey, jsNumber, oneof });
  };

  const parseMessage = (comment) => {
    const name = word('a name');
    const message = { comment, name, fields: [], oneofs: [] };
    file.messages.push(message);
    expect('{');
    while (!accept('}')) {
      const { comment: inner } = tokens[at];
      if (accept('enum')) parseEnum(name, inner);
      else if (accept('oneof')) {
        const oneof = word('a name');
        message.oneofs.push({ name: oneof, comment: inner });
        expect('{');
        while (!accept('}')) parseField(message, oneof);
      } else parseField(message, undefined);
    }
  };

  const parseService = (comment) => {
    const service = { comment, name: word('a name'), methods: [] };
    expect('{');
    while (!accept('}')) {
      const { comment: inner } = tokens[at];
      expect('rpc');
      const name = word('a name');
      expect('(');
      const requestStream = accept('stream');
      const request = word('a type');
      expect(')');
      expect('returns');
      expect('(');
      const responseStream = accept('stream');
      const response = word('a type');
      expect(')');
      expect(';');
      service.methods.push({ comment: inner, name, request, response, requestStream, responseStream });
    }
    file.services.push(service);
  };

  while (at < tokens.length) {
    const { comment } = tokens[at];
    if (accept('syntax')) {
      expect('=');
      if (text() !== 'proto3') fail('expected proto3');
      expect(';');
    } else if (accept('package')) {
      file.package = word('a name');
      expect(';');
    } else if (accept('import')) {
      file.imports.push(text());
      expect(';');
    } else if (accept('message')) parseMessage(comment);
    else if (accept('enum')) parseEnum('', comment);
    else if (accept('service')) parseService(comment);
    else fail('expected a message, an enum or a service');
  }
  return file;
}

/** A nested enum takes its own name, as if it were not nested; only `Type` says too little without its message's. */
export function flatName(scope, name) {
  return name === 'Type' ? `${scope}${name}` : name;
}
