import { Command } from "commander";
import { createClassifyCommand } from "./cli/classify.ts";
import { createConfigCommand } from "./cli/config.ts";
import { createKeysCommand } from "./cli/keys.ts";
import { reportAndExit } from "./cli/report-error.ts";
import { createServeCommand } from "./cli/serve.ts";
import { SLUICE_VERSION } from "./compose.ts";

const program = new Command("sluice")
  .description(
    "AI inference platform: gateway, model server, batching and releases in one program.",
  )
  .version(SLUICE_VERSION)
  .showHelpAfterError("Run with --help to see what there is.")
  .addCommand(createServeCommand(), { isDefault: true })
  .addCommand(createClassifyCommand())
  .addCommand(createKeysCommand())
  .addCommand(createConfigCommand());

program.parseAsync().catch(reportAndExit);
