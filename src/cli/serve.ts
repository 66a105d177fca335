import { Command } from "commander";
import { createProcessLogger, startServer } from "../compose.ts";
import { assertServable } from "../config/assert-servable.ts";
import { loadSettings } from "./load-settings.ts";
import { renderStartScreen } from "./start-screen.ts";

/** `sluice serve`, which is also what runs when no command is named. */
export function createServeCommand(): Command {
  return new Command("serve")
    .description("Serve the models over HTTP (default).")
    .usage("[--config FILE] [--SETTING VALUE ...]")
    .argument("[words...]", "any setting as a flag, e.g. --server.port 9000")
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action((words: string[]) => serve(words));
}

const HELP = `
Every setting is also an environment variable (SLUICE_SERVER_PORT) and a line of the YAML file.
'sluice config show' prints what is in force; docs/reference/configuration.md lists all settings.

Examples:
  npm start                                   on http://127.0.0.1:8000
  npm start -- --server.port 9000             on another port
  npm start -- --config production.yaml       with a file of settings`;

async function serve(words: readonly string[]): Promise<void> {
  const startedMs = performance.now() - process.uptime() * 1000;
  const { config, origins, file } = loadSettings(words);
  assertServable(config, origins);
  const logger = createProcessLogger(config);
  const server = await startServer(config, logger);
  const screen = renderStartScreen({
    config,
    server,
    file,
    startMs: performance.now() - startedMs,
  });
  process.stdout.write(screen);

  let draining = false;
  const stop = (signal: string) => {
    if (draining) return;
    draining = true;
    logger.info("draining", { signal });
    void server.drain().then((cut) => {
      logger.info("stopped", { cutConnections: cut });
      // Not process.exit: ending the process inside a native run aborts it. Nothing is left that keeps it alive.
      process.exitCode = cut === 0 ? 0 : 1;
    });
  };
  process.on("SIGTERM", stop);
  stopWithParent(() => stop("npm ended"));
  process.on("SIGINT", stop);
}

const PARENT_CHECK_MS = 500;

/**
 * `npm start` puts a shell between itself and this process. A signal to npm ends npm and the shell and never arrives
 * here; what arrives is another parent.
 */
function stopWithParent(stop: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}
