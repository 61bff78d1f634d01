// A service with one method of each kind, put together from messages that are there already.
import { etcdserverpb, type Method } from '@distrokv/proto';

const { RangeRequest, RangeResponse } = etcdserverpb;

type Of<Kind extends 'unary' | 'client-stream' | 'server-stream' | 'bidi-stream'> = Method<
  etcdserverpb.RangeRequest,
  etcdserverpb.RangeResponse,
  Kind
>;

function method<Kind extends 'unary' | 'client-stream' | 'server-stream' | 'bidi-stream'>(name: string, kind: Kind): Of<Kind> {
  return { path: `/test.Echo/${name}`, kind, request: RangeRequest, response: RangeResponse };
}

export const Echo: {
  readonly typeName: 'test.Echo';
  readonly methods: {
    readonly unary: Of<'unary'>;
    readonly collect: Of<'client-stream'>;
    readonly spread: Of<'server-stream'>;
    readonly chat: Of<'bidi-stream'>;
    readonly missing: Of<'unary'>;
  };
} = {
  typeName: 'test.Echo',
  methods: {
    unary: method('Unary', 'unary'),
    collect: method('Collect', 'client-stream'),
    spread: method('Spread', 'server-stream'),
    chat: method('Chat', 'bidi-stream'),
    missing: method('Missing', 'unary'),
  },
};

export const ask = (limit: number): etcdserverpb.RangeRequest => RangeRequest.create({ limit });
export const answer = (count: number): etcdserverpb.RangeResponse => RangeResponse.create({ count });
