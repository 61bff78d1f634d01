// Logging as an interface: the command line binds it to a library, tests to an array, the simulator to a trace.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';
/** Values that belong to the message; bigints are written in hexadecimal, errors with their cause. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};
/** A logger that drops everything. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing };
