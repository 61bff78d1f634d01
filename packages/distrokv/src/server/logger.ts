// Binds the servers' Logger to pino: one JSON object per line, or lines for people.
import { hexId } from '@distrokv/base';
import type { LogFields, Logger, LogLevel } from '@distrokv/env';
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Output } from '../host.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly colour: boolean;
  readonly output: Output;
  /** Name of the member, in every JSON line. */
  readonly member: string;
}

export function createLogger(options: LoggerOptions): Logger {
  const { output } = options;
  const pretty = prettyFactory({
    colorize: options.colour,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,member',
    singleLine: true,
  });
  const write = options.format === 'json' ? (line: string) => output.write(line) : (line: string) => output.write(pretty(line));
  const base = { member: options.member };
  const log = pino(
    { level: options.level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    { write },
  );
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      log[level](loggable(fields), message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
}

/** Bigints are ids, shown in hexadecimal as etcd shows them; an error is told with what caused it. */
function loggable(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, loggableValue(value)]));
}

function loggableValue(value: unknown): unknown {
  if (typeof value === 'bigint') return hexId(value);
  if (value instanceof Error) return pino.stdSerializers.err(value);
  return Array.isArray(value) ? value.map(loggableValue) : value;
}
