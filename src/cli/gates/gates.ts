import { Command } from "commander";
import { readExamples } from "../../model-tools/data/read-examples.ts";
import type { ServerOptions } from "../ask-server.ts";
import { onServer, toServer } from "../ask-server.ts";
import type { DataFileFlags } from "../data-file-options.ts";
import { addDataFileOptions, toReadOptions } from "../data-file-options.ts";
import { parseCount } from "../parse-arguments.ts";

interface WireGateSet {
  readonly name: string;
  readonly size: number;
  readonly updated_at: string;
}

/** `sluice gates …`: sets of labelled texts that versions are asked before they go live. */
export function createGatesCommand(): Command {
  return new Command("gates")
    .description("Keep sets of labelled texts that versions are asked before they go live.")
    .addCommand(createPutCommand())
    .addCommand(createCollectCommand())
    .addCommand(
      onServer(new Command("list").description("List the sets.")).action(
        async (options: ServerOptions) => {
          const answer = await toServer(options).ask("/v1/gate-sets");
          const { gate_sets: sets } = (await answer.json()) as {
            readonly gate_sets: readonly WireGateSet[];
          };
          process.stdout.write(sets.length === 0 ? "no gate sets\n" : sets.map(toLine).join(""));
        },
      ),
    )
    .addCommand(
      onServer(new Command("export"))
        .description("Write the texts of a set as NDJSON, as train, evaluate and jobs read it.")
        .argument("<name>", "name of the set")
        .action(async (name: string, options: ServerOptions) => {
          const headers = { accept: "application/x-ndjson" };
          const answer = await toServer(options).ask(at(name), { headers });
          process.stdout.write(await answer.text());
        }),
    )
    .addCommand(
      onServer(new Command("remove"))
        .description("Remove a set.")
        .argument("<name>", "name of the set")
        .action(async (name: string, options: ServerOptions) => {
          await toServer(options).ask(at(name), { method: "DELETE" });
          process.stdout.write(`${name} is removed\n`);
        }),
    );
}

function createPutCommand(): Command {
  const command = new Command("put")
    .description("Make a set of a file of labelled texts, or replace one.")
    .argument("<name>", "name of the set")
    .argument("<file>", "CSV, TSV or JSON lines with a text and its label");
  return onServer(addDataFileOptions(command)).action(
    async (name: string, file: string, options: ServerOptions & DataFileFlags) => {
      const { examples } = await readExamples(file, toReadOptions(options));
      const items = examples.map(({ text, label }) => ({ text, label }));
      const answer = await toServer(options).ask(at(name), {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ items }),
      });
      process.stdout.write(toLine((await answer.json()) as WireGateSet));
    },
  );
}

interface CollectOptions extends ServerOptions {
  readonly limit: number;
  readonly since?: string;
  readonly onlyWrong?: boolean;
}

function createCollectCommand(): Command {
  return onServer(new Command("collect"))
    .description("Make a set of what callers said about a model's answers, or replace one.")
    .argument("<name>", "name of the set")
    .argument("<model>", "name of the model")
    .option("--limit <count>", "newest texts at most", parseCount, 1000)
    .option("--since <time>", "only feedback given since, e.g. 2026-01-31T12:00:00Z")
    .option("--only-wrong", "only what the model had wrong")
    .action(async (name: string, model: string, options: CollectOptions) => {
      const { limit, since, onlyWrong = false } = options;
      const answer = await toServer(options).ask(`${at(name)}/collect`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, limit, only_wrong: onlyWrong, ...(since && { since }) }),
      });
      process.stdout.write(toLine((await answer.json()) as WireGateSet));
    });
}

function at(name: string): string {
  return `/v1/gate-sets/${encodeURIComponent(name)}`;
}

function toLine({ name, size, updated_at: updatedAt }: WireGateSet): string {
  return `${name}  ${size} texts  ${updatedAt}\n`;
}
