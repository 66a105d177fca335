import { Command } from "commander";
import { SLUICE_VERSION } from "../version.ts";
import { reportAndExit } from "./report-error.ts";

/** Every command by its name, in the order of the help. Each is loaded only when it is needed: a server needs no tools. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).createServeCommand(),
  classify: async () => (await import("./classify.ts")).createClassifyCommand(),
  train: async () => (await import("./train.ts")).createTrainCommand(),
  evaluate: async () =>
    (await import("./evaluate.ts")).createEvaluateCommand(await evaluateParts()),
  export: async () => (await import("./export.ts")).createExportCommand(),
  quantize: async () => (await import("./quantize.ts")).createQuantizeCommand(),
  inspect: async () => (await import("./inspect.ts")).createInspectCommand(),
  conformance: async () => (await import("./conformance.ts")).createConformanceCommand(),
  jobs: async () => (await import("./jobs/jobs.ts")).createJobsCommand(),
  models: async () => (await import("./models/models.ts")).createModelsCommand(),
  release: async () => (await import("./release/release.ts")).createReleaseCommand(),
  faults: async () => (await import("./faults/faults.ts")).createFaultsCommand(),
  gates: async () => (await import("./gates/gates.ts")).createGatesCommand(),
  keys: async () => (await import("./keys.ts")).createKeysCommand(),
  migrate: async () => (await import("./migrate.ts")).createMigrateCommand(),
  backup: async () => (await import("./backup.ts")).createBackupCommand(),
  restore: async () => (await import("./backup.ts")).createRestoreCommand(),
  config: async () => (await import("./config.ts")).createConfigCommand(),
};

const DEFAULT_COMMAND = "serve";

/** Words that are about the program as a whole. */
const PROGRAM_WORDS = new Set(["help", "--help", "-h", "--version", "-V"]);

/** Runs the command that `argv` names, as Node gives it: program, script, words. Without one, the server. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    const program = await createProgram(listNeeded(argv[2]));
    await program.parseAsync(argv);
  } catch (thrown) {
    reportAndExit(thrown);
  }
}

/** Words that need no command. */
const VERSION_WORDS = new Set(["--version", "-V"]);

/** The commands that the first word may mean: one of them, or all for help and for what is misspelt. */
function listNeeded(word: string | undefined): readonly string[] {
  if (word === undefined) return [DEFAULT_COMMAND];
  if (VERSION_WORDS.has(word)) return [];
  if (Object.hasOwn(COMMANDS, word)) return [word];
  const isSetting = word.startsWith("--") && !PROGRAM_WORDS.has(word);
  return isSetting ? [DEFAULT_COMMAND] : Object.keys(COMMANDS);
}

async function createProgram(names: readonly string[]): Promise<Command> {
  const program = new Command("sluice")
    .description(
      "AI inference platform: gateway, model server, batching and releases in one program.",
    )
    .version(SLUICE_VERSION)
    .enablePositionalOptions();
  for (const name of names) {
    const command = await COMMANDS[name]?.();
    if (command !== undefined) {
      program.addCommand(command, { isDefault: name === DEFAULT_COMMAND });
    }
  }
  return program;
}

async function evaluateParts() {
  const [{ openClassifier }, { loadSettings }] = await Promise.all([
    import("../compose/models.ts"),
    import("./load-settings.ts"),
  ]);
  return { openClassifier: (folder: string) => openClassifier(loadSettings([]).config, folder) };
}
