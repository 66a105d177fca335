import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { PROTOCOLS } from "../conformance/judge-server.ts";
import { createSend } from "../conformance/raw-http.ts";
import { renderReport, renderReportJson } from "../conformance/render-report.ts";
import { toExitCode } from "../conformance/run-cases.ts";
import { SluiceError } from "../core/errors.ts";
import { parseCount } from "./parse-arguments.ts";

interface ConformanceFlags {
  readonly protocol: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly key?: string;
  readonly json?: string;
  readonly only?: string;
  readonly allowChanges?: boolean;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The server could not be judged. */
const EXIT_NOT_JUDGED = 2;

/**
 * `sluice conformance`: asks any server and reports, case by case, what it supports of a protocol. The process ends
 * with 0 when everything required is there, with 1 when something required is not, and with 2 when the server cannot be
 * judged: it does not answer, there is no such model, or no case has that name.
 *
 * @param write receives the report; default: standard output.
 */
export function createConformanceCommand(
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  return (
    new Command("conformance")
      .description("Report what a server supports of a protocol, case by case.")
      .argument("<url>", "where the server is, e.g. http://127.0.0.1:8000", parseUrl)
      .addOption(
        new Option("--protocol <name>", "what the server is to speak")
          .choices(Object.keys(PROTOCOLS))
          .makeOptionMandatory(),
      )
      .option("--model <name>", "the model to ask (default: the first that the server names)")
      .option("--model-version <version>", "its version (default: the server's choice)")
      .option("--key <key>", "sent as a bearer token")
      .option("--json <file>", "write the report as JSON too")
      .option("--only <pattern>", "cases whose id contains this; * is anything")
      .option("--allow-changes", "unload the model and load it again, too")
      .option("--timeout-ms <n>", "for each request", parseCount, DEFAULT_TIMEOUT_MS)
      // 1 is for servers that break a promise; a misspelt flag must not look like one.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_NOT_JUDGED))
      .action(async (url: URL, flags: ConformanceFlags) => {
        try {
          process.exitCode = await judge(url, flags, write);
        } catch (thrown) {
          if (!(thrown instanceof SluiceError)) throw thrown;
          console.error(
            `sluice: the server could not be judged: ${thrown.message.replace(/\p{C}/gu, " ")}`,
          );
          process.exitCode = EXIT_NOT_JUDGED;
        }
      })
  );
}

async function judge(
  url: URL,
  flags: ConformanceFlags,
  write: (text: string) => void,
): Promise<number> {
  assertSendable(url, flags);
  const { protocol, key, json, timeoutMs, modelVersion } = flags;
  const send = createSend({
    url,
    timeoutMs,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    ...(key === undefined ? {} : { key }),
  });
  const judgement = await PROTOCOLS[protocol]?.({ send, ...flags });
  if (judgement === undefined || judgement.cases.length === 0) {
    throw new SluiceError("not_found", "no case has such an id; leave out --only to see all.");
  }
  const report = {
    protocol,
    url: url.href,
    ...(judgement.model === undefined ? {} : { model: judgement.model }),
    ...(modelVersion === undefined ? {} : { modelVersion }),
    cases: judgement.cases,
  };
  write(renderReport(report));
  if (json !== undefined) await writeReport(json, renderReportJson(report));
  return toExitCode(judgement.cases);
}

/** What HTTP could not carry, or what would be left out without a word. No message repeats a secret. */
function assertSendable(url: URL, { key, timeoutMs }: ConformanceFlags): void {
  if (url.username !== "" || url.password !== "") {
    throw new SluiceError("invalid_argument", "leave the password out of the address; use --key.");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new SluiceError("invalid_argument", "the address may have a path, but no ? or #.");
  }
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new SluiceError("invalid_argument", "--key has to be visible ASCII characters.");
  }
  if (timeoutMs === 0) {
    throw new SluiceError("invalid_argument", "--timeout-ms has to be 1 or more.");
  }
}

/** Throws `unavailable` when the file cannot be written. */
async function writeReport(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new SluiceError("unavailable", `${file} could not be written; choose another --json.`, {
      cause,
    });
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError("Expected an address like http://127.0.0.1:8000.");
  }
  return url;
}
