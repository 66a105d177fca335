import { Command } from "commander";
import { SluiceError } from "../../core/errors.ts";
import type { ServerOptions } from "../ask-server.ts";
import { onServer, toServer } from "../ask-server.ts";
import { parseNumber } from "../parse-arguments.ts";
import type { WireFault } from "./wire-fault.ts";
import { toLine } from "./wire-fault.ts";

interface SetOptions extends ServerOptions {
  readonly model?: string;
  readonly version?: string;
  readonly forKey?: string;
  readonly header?: readonly string[];
  readonly everything?: boolean;
  readonly delay?: string;
  readonly delayPercent: number;
  readonly abort?: string;
  readonly abortPercent: number;
  readonly ttl: string;
}

/** `sluice faults …`: delays and aborts requests on purpose, to try what their callers do then. */
export function createFaultsCommand(): Command {
  return new Command("faults")
    .description("Delay or abort requests on purpose, for a while.")
    .addCommand(createSetCommand())
    .addCommand(
      onServer(new Command("list").description("List the faults in the order they are tried."))
        .option("--json", "as JSON")
        .action(async (options: ServerOptions & { readonly json?: boolean }) => {
          const answer = await toServer(options).ask("/v1/faults");
          const text = await answer.text();
          if (options.json === true) process.stdout.write(`${text}\n`);
          else process.stdout.write(renderList(JSON.parse(text)));
        }),
    )
    .addCommand(
      onServer(new Command("remove").description("Remove a fault."))
        .argument("<name>", "name of the fault")
        .action(async (name: string, options: ServerOptions) => {
          await toServer(options).ask(at(name), { method: "DELETE" });
          process.stdout.write(`removed ${name}\n`);
        }),
    );
}

function createSetCommand(): Command {
  return onServer(new Command("set"))
    .description("Set a fault, or put it in the place of the one with its name.")
    .argument("<name>", "name of the fault, which its answers say")
    .option("--model <name>", "requests that ask this model")
    .option("--version <version>", "requests that this version would answer")
    .option("--for-key <id>", "requests with the API key of this id")
    .option("--header <match...>", "requests with a header: name=text, name=start*, name=*end")
    .option("--everything", "every request")
    .option("--delay <duration>", "how long they wait, e.g. 500ms")
    .option("--delay-percent <percent>", "share of them that waits", parseNumber, 100)
    .option("--abort <status>", "what they are answered with: 503, or UNAVAILABLE")
    .option("--abort-percent <percent>", "share of them that is aborted", parseNumber, 100)
    .option("--ttl <duration>", "when the fault ends by itself, at most 24h", "10m")
    .action(async (name: string, options: SetOptions) => {
      const answer = await toServer(options).ask(at(name), {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(toBody(options)),
      });
      process.stdout.write(toLine((await answer.json()) as WireFault));
    });
}

function at(name: string): string {
  return `/v1/faults/${encodeURIComponent(name)}`;
}

function toBody(options: SetOptions): object {
  const { model, version, forKey, header, everything, delay, abort, ttl } = options;
  return {
    match: {
      ...(everything === true && { everything }),
      ...(model !== undefined && { model }),
      ...(version !== undefined && { version }),
      ...(forKey !== undefined && { key: forKey }),
      ...(header !== undefined && { headers: Object.fromEntries(header.map(toHeaderMatch)) }),
    },
    ...(delay !== undefined && {
      delay: { percentage: { value: options.delayPercent }, fixedDelay: delay },
    }),
    ...(abort !== undefined && {
      abort: { percentage: { value: options.abortPercent }, ...toStatus(abort) },
    }),
    ttl,
  };
}

function toStatus(text: string): object {
  return /^\d+$/.test(text) ? { httpStatus: Number(text) } : { grpcStatus: text };
}

/** `name=text`; a `*` at the end stands for any rest, one at the start for any beginning. */
function toHeaderMatch(text: string): readonly [string, object] {
  const at = text.indexOf("=");
  if (at < 1) {
    const message = `--header ${text}: write it as name=text, name=start* or name=*end.`;
    throw new SluiceError("invalid_argument", message);
  }
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value.endsWith("*")) return [name, { prefix: value.slice(0, -1) }];
  if (value.startsWith("*")) return [name, { suffix: value.slice(1) }];
  return [name, { exact: value }];
}

function renderList({ faults }: { readonly faults: readonly WireFault[] }): string {
  return faults.length === 0 ? "no faults\n" : faults.map(toLine).join("");
}
