import { Command } from "commander";
import type { AskOptions, ServerOptions } from "../ask-server.ts";
import { onServer, toServer } from "../ask-server.ts";

/** A version as the server describes it; what the commands need of it. */
interface WireVersion {
  readonly model: string;
  readonly version: string;
  readonly state: string;
  readonly is_default: boolean;
  readonly is_pinned?: boolean;
  readonly version_labels?: readonly string[];
  readonly reason?: string;
  readonly notice?: string;
}

/** `sluice models …`: versions of a running server. */
export function createModelsCommand(): Command {
  return new Command("models")
    .description("Look after the versions of a running server.")
    .addCommand(
      onServer(new Command("list"))
        .description("List versions with their states; * answers who names none.")
        .argument("[model]", "name of the model (default: all)")
        .action(async (model: string | undefined, options: ServerOptions) => {
          await ask(options, model === undefined ? "/models" : at(model));
        }),
    )
    .addCommand(forVersion("load", "Load a version beside those that serve."))
    .addCommand(forVersion("unload", "Answer what a version has accepted, then free it."))
    .addCommand(
      onServer(new Command("pin"))
        .description("Have a version answer who names none.")
        .argument("<model>", "name of the model")
        .argument("<version>", "such as 1.2.0")
        .action(async (model: string, version: string, options: ServerOptions) => {
          await ask(options, `${at(model)}/pin`, put({ version }));
        }),
    )
    .addCommand(
      onServer(new Command("unpin"))
        .description("Have the version answer that the configuration says.")
        .argument("<model>", "name of the model")
        .action(async (model: string, options: ServerOptions) => {
          await ask(options, `${at(model)}/pin`, { method: "DELETE" });
        }),
    )
    .addCommand(
      onServer(new Command("label"))
        .description("Let callers name a version by a label.")
        .argument("<model>", "name of the model")
        .argument("<label>", "such as canary")
        .argument("<version>", "such as 1.2.0")
        .action(async (model: string, label: string, version: string, options: ServerOptions) => {
          await ask(options, labelAt(model, label), put({ version }));
        }),
    )
    .addCommand(
      onServer(new Command("unlabel"))
        .description("Take a label away.")
        .argument("<model>", "name of the model")
        .argument("<label>", "such as canary")
        .action(async (model: string, label: string, options: ServerOptions) => {
          await ask(options, labelAt(model, label), { method: "DELETE" });
        }),
    );
}

function forVersion(name: "load" | "unload", description: string): Command {
  return onServer(new Command(name))
    .description(description)
    .argument("<model>", "name of the model")
    .argument("<version>", "such as 1.2.0")
    .action(async (model: string, version: string, options: ServerOptions) => {
      const path = `${at(model)}/versions/${encodeURIComponent(version)}/${name}`;
      await ask(options, path, { method: "POST" });
    });
}

async function ask(options: ServerOptions, path: string, init?: AskOptions): Promise<void> {
  const answer = await toServer(options).ask(path, init);
  const { models } = (await answer.json()) as { readonly models: readonly WireVersion[] };
  process.stdout.write(models.length === 0 ? "no models\n" : models.map(toLine).join(""));
}

function put(body: object): AskOptions {
  const headers = { "content-type": "application/json" };
  return { method: "PUT", headers, body: JSON.stringify(body) };
}

function at(model: string): string {
  return `/models/${encodeURIComponent(model)}`;
}

function labelAt(model: string, label: string): string {
  return `${at(model)}/labels/${encodeURIComponent(label)}`;
}

function toLine(one: WireVersion): string {
  const { model, version, state, reason, notice, version_labels: labels = [] } = one;
  const marks = [...(one.is_pinned === true ? ["pinned"] : []), ...labels].join(", ");
  const name = `${one.is_default ? "*" : " "} ${model} ${version}`;
  return `${[name, state, marks, reason ?? notice ?? ""].filter((part) => part !== "").join("  ")}\n`;
}
