// Gathers what a server was told, by etcd's order of precedence: flags, then DISTROKV_* and ETCD_* variables, then defaults;
// or a config file alone, which puts flags and environment aside. Values stay texts here: `config.ts` checks them, whatever
// their source, so there is one place that says what a port or a timeout may be.
import { usage } from '../errors.ts';
import { globalVariables } from '../client/variables.ts';
import { environmentName, findServerFlag, serverFlags, type ServerFlagName } from './flags.ts';
import { isRefused, unservedFlags } from './etcd-flags.ts';

/** A value as it was written, and where: "--name", "ETCD_NAME", "etcd.yml:3: name". */
export interface GivenValue {
  readonly flag: string;
  readonly value: string;
  readonly source: string;
}

export interface Settings {
  readonly values: ReadonlyMap<ServerFlagName, GivenValue>;
  /** One line each: what was given and has no effect. */
  readonly warnings: readonly string[];
}

export interface SettingsSources {
  /** From the command line, served and unserved flags alike. */
  readonly flags: readonly GivenValue[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a config file into values. */
  readonly readConfigFile: (path: string) => Promise<readonly GivenValue[]>;
}

/** Throws CommandError `usage` for a flag that must not be ignored, and whatever `readConfigFile` throws. */
export async function gatherSettings(sources: SettingsSources): Promise<Settings> {
  const environment = readEnvironment(sources.env);
  const given = [...sources.flags, ...environment.values];
  const file = given.find((value) => value.flag === 'config-file');
  const warnings = [...environment.warnings];
  let effective: readonly GivenValue[] = given;
  if (file) {
    effective = await sources.readConfigFile(file.value);
    const aside = given.filter((value) => value.flag !== 'config-file').map((value) => value.source);
    if (aside.length > 0) warnings.push(`${aside.join(', ')}: ignored, because the config file ${file.value} is used alone`);
  }
  const { values, ignored } = sortOut(effective);
  if (ignored.length > 0) warnings.push(`${ignored.join(', ')}: without effect in this version`);
  return { values, warnings };
}

/** The first value of a flag wins: sources come in the order of their precedence. */
function sortOut(effective: readonly GivenValue[]): { values: Map<ServerFlagName, GivenValue>; ignored: string[] } {
  const values = new Map<ServerFlagName, GivenValue>();
  const unserved = new Map<string, GivenValue>();
  for (const given of effective) {
    const flag = findServerFlag(given.flag);
    if (flag && !values.has(flag.name)) values.set(flag.name, given);
    if (!flag && !unserved.has(given.flag)) unserved.set(given.flag, given);
  }
  const ignored: string[] = [];
  for (const given of unserved.values()) {
    const flag = unservedFlags.get(given.flag);
    if (!flag) throw usage(`${given.source}: there is no such setting`);
    if (isRefused(flag, given.value))
      throw usage(`${given.source}: this version does not have ${flag.missing} yet, and will not start without it`);
    ignored.push(given.source);
  }
  return { values, ignored };
}

/** Variables of the client commands and of wrappers, which are no settings of a server. */
const foreignVariables = new Set([...globalVariables.map((name) => `DISTROKV_${name}`), 'ETCD_VERSION', 'ETCD_UNSUPPORTED_ARCH']);

function readEnvironment(env: SettingsSources['env']): { values: GivenValue[]; warnings: string[] } {
  const values: GivenValue[] = [];
  const known = new Set(foreignVariables);
  for (const prefix of ['DISTROKV', 'ETCD'] as const) {
    for (const flag of [...serverFlags.map((row) => row.name), ...unservedFlags.keys()]) {
      const name = environmentName(prefix, flag);
      known.add(name);
      const value = env[name];
      // As etcd has it, an empty variable is none.
      if (value) values.push({ flag, value, source: name });
    }
  }
  const unknown = Object.keys(env).filter((name) => /^(DISTROKV|ETCD)_/.test(name) && !known.has(name));
  return { values, warnings: unknown.length > 0 ? [`${unknown.sort().join(', ')}: no variable of this version, ignored`] : [] };
}
