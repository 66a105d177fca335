import { Command } from "commander";
import { openClassifier, SLUICE_VERSION } from "../compose.ts";
import { createClassifyCommand } from "./classify.ts";
import { createConfigCommand } from "./config.ts";
import { createEvaluateCommand } from "./evaluate.ts";
import { createKeysCommand } from "./keys.ts";
import { loadSettings } from "./load-settings.ts";
import { reportAndExit } from "./report-error.ts";
import { createServeCommand } from "./serve.ts";
import { createTrainCommand } from "./train.ts";

/** Runs the command that `argv` names, as Node gives it: program, script, words. Without one, the server. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (thrown) {
    reportAndExit(thrown);
  }
}

function createProgram(): Command {
  return new Command("sluice")
    .description(
      "AI inference platform: gateway, model server, batching and releases in one program.",
    )
    .version(SLUICE_VERSION)
    .enablePositionalOptions()
    .addCommand(createServeCommand(), { isDefault: true })
    .addCommand(createClassifyCommand())
    .addCommand(createTrainCommand())
    .addCommand(
      createEvaluateCommand({
        openClassifier: (folder) => openClassifier(loadSettings([]).config, folder),
      }),
    )
    .addCommand(createKeysCommand())
    .addCommand(createConfigCommand());
}
