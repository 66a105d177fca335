import type { Command } from "commander";
import { SluiceError } from "../core/errors.ts";
import { loadSettings } from "./load-settings.ts";

/** Options of every command that has a server do something. */
export interface ServerOptions {
  readonly url?: string;
  readonly key?: string;
}

export type AskOptions = Omit<RequestInit, "headers"> & {
  readonly duplex?: "half";
  readonly headers?: Readonly<Record<string, string>>;
};

/** A server that commands ask. Every method throws a SluiceError with the server's own reason. */
export interface AskedServer {
  readonly url: string;
  /** Headers that say who asks. */
  readonly authorization: Readonly<Record<string, string>>;
  /** Waits for an answer, and sees that it is a good one. */
  check(asked: Promise<Response>): Promise<Response>;
  ask(path: string, init?: AskOptions): Promise<Response>;
}

/** Adds the options that say which server is asked, and as whom. */
export function onServer(command: Command): Command {
  return command
    .option("--url <url>", "server to ask (default: the one that the configuration describes)")
    .option("--key <key>", "API key");
}

/** The server that the options name. */
export function toServer({ url = findServer(), key }: ServerOptions): AskedServer {
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const check = async (asked: Promise<Response>) => {
    let response: Response;
    try {
      response = await asked;
    } catch (cause) {
      const fix = "start it with 'npm start', or name another with --url";
      throw new SluiceError("unavailable", `There is no server at ${url}; ${fix}.`, { cause });
    }
    if (!response.ok) throw await readRefusal(response);
    return response;
  };
  return {
    url,
    authorization,
    check,
    ask: (path, { headers, ...init } = {}) =>
      check(fetch(new URL(path, url), { ...init, headers: { ...headers, ...authorization } })),
  };
}

/** The server of this configuration, as it is reached from this machine. */
function findServer(): string {
  const { host, port } = loadSettings([]).config.server;
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** What the server said, as an error of this program. */
async function readRefusal(response: Response): Promise<SluiceError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    if (typeof error.message === "string") {
      return new SluiceError("invalid_argument", `The server refused: ${error.message}`);
    }
  } catch {
    // Not one of our servers; its status has to do.
  }
  return new SluiceError("invalid_argument", `The server answered with status ${response.status}.`);
}
