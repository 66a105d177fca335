import cluster from "node:cluster";
import { Command } from "commander";
import { createProcessGroup, openMemberChannel } from "../cluster/member.ts";
import { startPrimary } from "../cluster/primary.ts";
import { countProcesses, createProcessLogger, startServer } from "../compose/server.ts";
import { assertServable } from "../config/assert-servable.ts";
import { toRoleConfig } from "../config/for-role.ts";
import type { Logger } from "../core/ports/logger.ts";
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
  const { config: stated, origins, file } = loadSettings(words);
  const config = toRoleConfig(stated);
  assertServable(config, origins);
  const logger = createProcessLogger(config);
  const processes = countProcesses(config);
  if (processes > 1 && cluster.isPrimary) {
    serveInProcesses(processes, logger);
    return;
  }
  const group = processes > 1 ? createProcessGroup(processes, openMemberChannel()) : undefined;
  const server = await startServer(config, logger, group);
  const startMs = performance.now() - startedMs;
  const screen = renderStartScreen({ config, server, file, processes, startMs });
  if (group === undefined) process.stdout.write(screen);
  else group.reportReady(screen);
  onStop(async (signal) => {
    logger.info("draining", { signal });
    const cut = await server.drain();
    logger.info("stopped", { cutConnections: cut });
    if (cluster.isWorker) process.disconnect();
    return cut === 0 ? 0 : 1;
  });
}

function serveInProcesses(processes: number, logger: Logger): void {
  const primary = startPrimary({
    processes,
    logger,
    write: (screen) => process.stdout.write(screen),
  });
  void primary.ended.then((exitCode) => {
    process.exitCode = exitCode;
  });
  onStop(() => primary.stop());
}

/** Calls `stop` once, when the process is asked to end; its result becomes the exit code. */
function onStop(stop: (signal: string) => Promise<number>): void {
  let stopping = false;
  const stopOnce = (signal: string) => {
    if (stopping) return;
    stopping = true;
    void stop(signal).then((exitCode) => {
      // Not process.exit: ending the process inside a native run aborts it. Nothing is left that keeps it alive.
      process.exitCode = exitCode;
    });
  };
  process.on("SIGTERM", stopOnce);
  process.on("SIGINT", stopOnce);
  if (!cluster.isWorker) stopWithParent(() => stopOnce("npm ended"));
  // A process that serves for a primary one ends with it.
  else process.on("disconnect", () => stopOnce("the primary process ended"));
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
