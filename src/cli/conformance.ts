import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { createHttpProbe } from "../conformance/http-probe.ts";
import type { Protocol } from "../conformance/protocols.ts";
import { PROTOCOLS, tryServer } from "../conformance/protocols.ts";
import { renderReport } from "../conformance/render-report.ts";
import { isConformant } from "../conformance/run-cases.ts";
import { toSluiceError } from "../core/errors.ts";
import { parsePositive } from "./parse-arguments.ts";

interface ConformanceFlags {
  readonly protocol: Protocol;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly key?: string;
  readonly only?: string;
  readonly json?: string;
  readonly timeoutMs: number;
}

const EXIT_NOT_CONFORMANT = 1;
const EXIT_NOT_TRIED = 2;

/**
 * `sluice conformance`: reports, case by case, what any server supports of a protocol. The process ends with 0 when no
 * required case fails, with 1 when one does, and with 2 when the server could not be tried.
 *
 * @param write receives what the command prints; default: standard output
 */
export function createConformanceCommand(
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  return new Command("conformance")
    .description("Report, case by case, what any server supports of a protocol.")
    .argument("<url>", "the server, e.g. http://127.0.0.1:8000")
    .addOption(
      new Option("--protocol <name>", "what it should speak")
        .choices(PROTOCOLS)
        .makeOptionMandatory(),
    )
    .option("--model <name>", "model to ask; default: one that the server has")
    .option("--model-version <version>", "its version; default: the server chooses")
    .option("--key <key>", "API key, sent as Authorization: Bearer")
    .option("--only <part>", "only cases whose id has this in it, e.g. v2.binary")
    .option("--json <file>", "write every result as JSON too")
    .option("--timeout-ms <ms>", "how long an answer may take", parsePositive, 10_000)
    .addHelpText("after", HELP)
    .action(async (url: string, flags: ConformanceFlags) => {
      try {
        await run(url, flags, write);
      } catch (thrown) {
        process.stderr.write(`${toSluiceError(thrown).message}\n`);
        process.exitCode = EXIT_NOT_TRIED;
      }
    });
}

const HELP = `
Nothing is changed on the server. Cases are required by the protocol's text, recommended because clients rely on them,
or extensions. Exit code: 0 when nothing required fails, 1 when something does, 2 when the server cannot be tried.

Examples:
  sluice conformance http://127.0.0.1:8000 --protocol open-inference
  sluice conformance http://triton:8000 --protocol open-inference --model resnet
  sluice conformance http://tfserving:8501 --protocol tensorflow-serving --model half_plus_two`;

async function run(
  url: string,
  flags: ConformanceFlags,
  write: (text: string) => void,
): Promise<void> {
  const { protocol, model, modelVersion: version, key, only, timeoutMs } = flags;
  const http = createHttpProbe({ url, key, timeoutMs });
  const { subject, results } = await tryServer(http, protocol, { model, version, only });
  const head = { url, protocol, model: subject.model };
  write(renderReport(head, results, process.stdout.isTTY === true));
  if (flags.json !== undefined) {
    await writeFile(flags.json, `${JSON.stringify({ ...head, results }, null, 2)}\n`);
  }
  if (!isConformant(results)) process.exitCode = EXIT_NOT_CONFORMANT;
}
