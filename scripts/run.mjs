// The one door to this repository: `node scripts/run.mjs COMMAND [ARGUMENTS]`, from any directory. It installs and builds what
// is missing, then runs the command on the pinned Node. All npm scripts come here, and none has a hook: hooks do not run
// where npm was told to ignore scripts (docs/decisions/0003).
//
// This file loads on every Node that knows modules, so that an old one gets a sentence and not a syntax error.

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `DistroKV needs Node 20.19 or later, and this is Node ${process.versions.node} (https://nodejs.org has newer ones)\n`,
  );
  process.exitCode = 1;
} else {
  import('./commands.mjs')
    .then((commands) => commands.main(process.argv.slice(2)))
    .catch((error) => {
      process.stderr.write(`error: ${error.expected ? error.message : error.stack}\n`);
      process.exitCode = 1;
    });
}
