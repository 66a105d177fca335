import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { SluiceError } from "../../core/errors.ts";
import type { ServerOptions } from "../ask-server.ts";
import { onServer, toServer } from "../ask-server.ts";
import { parseCount } from "../parse-arguments.ts";
import type { JobClient, WireJob } from "./job-client.ts";
import { createJobClient } from "./job-client.ts";
import { toJobFile } from "./to-job-file.ts";
import type { SourceOptions } from "./to-source.ts";
import { toSource } from "./to-source.ts";
import { waitForJob } from "./wait-for-job.ts";

interface SubmitOptions extends ServerOptions, SourceOptions {
  readonly model?: string;
  readonly modelVersion?: string;
  readonly topK?: number;
  readonly webhookUrl?: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
  readonly output?: string;
}

/** `sluice jobs …`: files of texts, answered by a server without anybody waiting. */
export function createJobsCommand(): Command {
  return new Command("jobs")
    .description("Have a server answer files of texts, and look after that.")
    .addCommand(createSubmitCommand())
    .addCommand(
      onServer(new Command("list").description("List your jobs, newest first."))
        .option("--limit <count>", "how many", parseCount, 20)
        .action(async (options: ServerOptions & { limit: number }) => {
          const jobs = await toClient(options).list(options.limit);
          process.stdout.write(jobs.length === 0 ? "no jobs\n" : jobs.map(toLine).join(""));
        }),
    )
    .addCommand(
      forJob("show", "Show a job.").action(async (id: string, options: ServerOptions) => {
        process.stdout.write(`${JSON.stringify(await toClient(options).find(id), null, 2)}\n`);
      }),
    )
    .addCommand(
      forJob("wait", "Wait until a job has ended.").action(
        async (id: string, options: ServerOptions) => {
          const client = toClient(options);
          finish(await waitForJob(client, await client.find(id), isTerminal()));
        },
      ),
    )
    .addCommand(
      forJob("results", "Print the results of a job that has ended, in the order of its rows.")
        .option("--output <file>", "write to a file; .csv makes it CSV")
        .addOption(new Option("--format <format>", "ndjson or csv").choices(["ndjson", "csv"]))
        .action(
          async (id: string, options: ServerOptions & { output?: string; format?: Format }) => {
            const format = options.format ?? formatOf(options.output);
            await writeResults(toClient(options), id, { ...options, format });
          },
        ),
    )
    .addCommand(
      forJob("cancel", "End a job.").action(async (id: string, options: ServerOptions) => {
        process.stdout.write(toLine(await toClient(options).act(id, "cancel")));
      }),
    )
    .addCommand(
      forJob("retry", "Ask for the failed rows of a completed job again.").action(
        async (id: string, options: ServerOptions) => {
          process.stdout.write(toLine(await toClient(options).act(id, "retry")));
        },
      ),
    )
    .addCommand(
      forJob("remove", "Remove a job that has ended, with its results.").action(
        async (id: string, options: ServerOptions) => {
          await toClient(options).remove(id);
          process.stdout.write(`removed ${id}\n`);
        },
      ),
    );
}

function createSubmitCommand(): Command {
  return onServer(new Command("submit"))
    .description("Send a file of rows (.csv, .ndjson, .jsonl, also .gz) as a job.")
    .argument(
      "<file>",
      "CSV with a column 'text', or one text or {text, pair, id} per line; or the address of one, which the server fetches",
    )
    .option("--model <name>", "model to ask (default: the server's)")
    .option("--model-version <version>", "version to ask")
    .option("--top-k <count>", "labels per row, 0 for all", parseCount)
    .addOption(
      new Option("--format <format>", "of an address that does not tell it").choices([
        "csv",
        "ndjson",
      ]),
    )
    .option("--text-column <name>", "column of the texts (default: text)")
    .option("--id-column <name>", "column of your own names for the rows (default: id)")
    .option("--webhook-url <url>", "address that is told when the job ends")
    .option("--idempotency-key <key>", "the same key and file are the same job")
    .option("--wait", "wait until it has ended, and write the results")
    .option("--output <file>", "with --wait: where the results go; .csv makes them CSV")
    .action(async (path: string, options: SubmitOptions) => {
      const client = toClient(options);
      const job = await submit(client, path, options);
      if (options.wait !== true) {
        process.stdout.write(toLine(job));
        return;
      }
      process.stderr.write(`${job.id}: ${job.rows.total} rows\n`);
      const ended = await waitForJob(client, job, isTerminal());
      finish(ended);
      if (ended.state !== "completed") return;
      const format = formatOf(options.output);
      await writeResults(client, job.id, { ...options, format });
    });
}

async function submit(
  client: JobClient,
  argument: string,
  options: SubmitOptions,
): Promise<WireJob> {
  const { idempotencyKey } = options;
  const source = toSource(argument, options);
  if (source === undefined) {
    return await client.submit(toJobFile(argument), toQuery(options), idempotencyKey);
  }
  const fields = { ...toFields(options), top_k: options.topK };
  return await client.submitSource({ ...fields, source }, idempotencyKey);
}

/** Fields of the job beside its rows. */
function toFields(options: SubmitOptions) {
  return {
    model: options.model,
    model_version: options.modelVersion,
    top_k: options.topK?.toString(),
    webhook_url: options.webhookUrl,
  };
}

function toQuery(options: SubmitOptions): URLSearchParams {
  const { textColumn: text_column, idColumn: id_column } = options;
  const fields = { ...toFields(options), text_column, id_column };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, value);
  }
  return query;
}

/** How a job ended, for people, and as the exit code. */
function finish(job: WireJob): void {
  const { rows, state, failure } = job;
  const failed = rows.failed > 0 ? `, ${rows.failed} of them with an error` : "";
  const reason = failure === null ? "" : `: ${failure}`;
  process.stderr.write(`${job.id} ${state}, ${rows.done} rows${failed}${reason}\n`);
  if (state !== "completed") process.exitCode = 1;
}

type Format = "ndjson" | "csv";

function formatOf(output: string | undefined): Format {
  return output?.endsWith(".csv") === true ? "csv" : "ndjson";
}

interface ResultTarget {
  readonly output?: string;
  readonly format: Format;
}

async function writeResults(
  client: JobClient,
  id: string,
  { output, format }: ResultTarget,
): Promise<void> {
  const results = await client.results(id, format);
  if (output === undefined) {
    for await (const piece of results) process.stdout.write(piece as Uint8Array);
    return;
  }
  try {
    await pipeline(results, createWriteStream(output));
  } catch (cause) {
    throw new SluiceError("unavailable", `The results could not be written to ${output}.`, {
      cause,
    });
  }
  process.stderr.write(`results in ${output}\n`);
}

function toLine({ id, state, rows, created_at }: WireJob): string {
  const failed = rows.failed > 0 ? `, ${rows.failed} failed` : "";
  return `${id}  ${state.padEnd(9)}  ${rows.done}/${rows.total} rows${failed}  ${created_at}\n`;
}

function forJob(name: string, description: string): Command {
  return onServer(new Command(name)).description(description).argument("<id>", "id of the job");
}

function toClient(options: ServerOptions): JobClient {
  return createJobClient(toServer(options));
}

function isTerminal(): boolean {
  return process.stderr.isTTY === true;
}
