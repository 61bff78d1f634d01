// `distrokv server`: settings in, a running member, and an orderly end.
import { messageOf } from '@distrokv/base';
import { createNodeEnv, type Logger } from '@distrokv/env';
import type { RunningServer, StartOptions } from '@distrokv/server';
import { CommandError } from '../errors.ts';
import { type Host, usesColour } from '../host.ts';
import { expandAncestorForm } from './ancestor-form.ts';
import { type Announcer, announceToLog, announceToPerson, readyLine } from './announce.ts';
import { buildServerSetup, type LogFormat, type ServerSetup } from './config.ts';
import { createLogger } from './logger.ts';
import { gatherSettings, type GivenValue } from './settings.ts';

export interface ServerCommand {
  /** The ancestor's two words, if they were given. */
  readonly words: readonly [name?: string, clientPort?: string];
  readonly flags: readonly GivenValue[];
  /** Started by `distrokv cluster`, which speaks to the person. */
  readonly supervised: boolean;
}

/** `startServer` of @distrokv/server, or what a test puts in its place. */
export type StartServer = (options: StartOptions) => Promise<RunningServer>;

/** Resolves when the server has stopped because it was asked to. Throws CommandError, ServerError. */
export async function runServer(host: Host, command: ServerCommand, start: StartServer): Promise<void> {
  const [name, clientPort] = command.words;
  const form = name === undefined ? { flags: [], note: undefined } : await expandAncestorForm(name, clientPort);
  const settings = await gatherSettings({
    // What was said in full goes before what the short form stands for.
    flags: [...command.flags, ...form.flags],
    env: host.env,
    readConfigFile: async (path) => (await import('./config-file.ts')).readConfigFile(path),
  });
  const setup = buildServerSetup(settings);
  const format = setup.logFormat ?? (host.stdout.isTerminal ? 'text' : 'json');
  const logger = loggerFor(host, setup, format);
  for (const warning of [...settings.warnings, ...(form.note ? [form.note] : [])]) logger.warn(warning);
  await serve(host, setup, logger, announcerFor(host, command, format, logger), start);
}

function loggerFor(host: Host, setup: ServerSetup, format: LogFormat): Logger {
  const colour = usesColour(host.stdout, host.env);
  return createLogger({ level: setup.logLevel, format, colour, output: host.stdout, member: setup.config.name });
}

function announcerFor(host: Host, command: ServerCommand, format: LogFormat, logger: Logger): Announcer {
  if (command.supervised) return announceToLog(logger, 'serving clients');
  return format === 'json' ? announceToLog(logger, readyLine) : announceToPerson(host.stdout, usesColour(host.stdout, host.env));
}

async function serve(host: Host, { config }: ServerSetup, logger: Logger, announcer: Announcer, start: StartServer): Promise<void> {
  host.becomeServer((error) => logger.fatal('the server crashed', { error }));
  const stopRequested = new Promise<string>((resolve) => host.onStopRequest(resolve));
  const running = await start({ config, env: createNodeEnv(), logger });
  announcer.started(config, running);
  const became = running.ready.then(() => {
    announcer.ready(config, running);
    host.notifyParent('ready');
  });
  // A member that stops before it was ready has its reason in `stopped`.
  became.catch((error: unknown) => logger.debug('did not become ready', { error }));
  const ending = await Promise.race([stopRequested, running.stopped]);
  if (typeof ending === 'string') {
    logger.info('stopping', { why: ending });
    await running.stop();
  }
  const failure = typeof ending === 'string' ? await running.stopped : ending;
  if (failure) throw new CommandError('failed', `the server stopped: ${messageOf(failure)}`, { cause: failure });
  logger.info('stopped');
}
