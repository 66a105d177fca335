import type { RunningServer } from "../../src/compose/server.ts";
import { startServer } from "../../src/compose/server.ts";
import { toRoleConfig } from "../../src/config/for-role.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { LogFields } from "../../src/core/ports/logger.ts";

/** Ports beside the first are opened by tests that are about them, on any free one. */
export const ONE_PORT = { "grpc.listen": "off", "tensorflowServing.listen": "off" } as const;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A real server on a free loopback port, in this process. */
export interface TestServer extends RunningServer {
  readonly log: readonly LogLine[];
  /** POSTs JSON to `/classify`. */
  classify(body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** @param flags settings by path, e.g. `{ "models.directory": folder }`; everything else is the default */
export async function startTestServer(
  flags: Readonly<Record<string, string>>,
): Promise<TestServer> {
  const { config: stated } = loadConfig({
    env: {},
    directory: import.meta.dirname,
    flags: { "server.port": "0", ...ONE_PORT, ...flags },
  });
  const config = toRoleConfig(stated);
  const log: LogLine[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) =>
    void log.push({ level, message, fields });
  const server = await startServer(config, {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  });
  return {
    ...server,
    log,
    classify: (body, headers = {}) =>
      fetch(`${server.url}/classify`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
  };
}
