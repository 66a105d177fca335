import { Command } from "commander";
import { assertServable } from "../config/assert-servable.ts";
import type { ConfigSource } from "../config/config-error.ts";
import { toSourceText } from "../config/config-error.ts";
import type { LoadedConfig } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import type { Environment } from "../config/read-environment.ts";
import { parseFlags } from "../config/read-flags.ts";
import { redactConfig } from "../config/redact.ts";
import { renderConfigJsonSchema } from "../config/reference.ts";

/** What the command touches outside itself. */
export interface ConfigCommandOptions {
  /** Default: the environment of this process. */
  readonly env?: Environment;
  /** Folder in which `sluice.yaml` is looked for. Default: the working directory. */
  readonly directory?: string;
  /** Receives what the command prints. Default: standard output. */
  readonly write?: (text: string) => void;
}

/**
 * `sluice config`: shows, checks and describes the configuration without starting anything. Its actions throw
 * ConfigError when there is something to report.
 */
export function createConfigCommand(options: ConfigCommandOptions = {}): Command {
  const { env = process.env, directory = ".", write = writeOut } = options;
  const load = (words: readonly string[], file?: string): LoadedConfig => {
    const flags = parseFlags(words);
    return loadConfig({ env, directory, flags, ...(file === undefined ? {} : { file }) });
  };

  const command = new Command("config").description("Show, check and describe the configuration.");
  addLeaf(command, "show", "Print the configuration in effect, with the origin of each value.")
    .usage("[--config FILE] [--SETTING VALUE ...]")
    .action(async (_, __, { args }: Command) => write(await renderEffectiveConfig(load(args))));
  addLeaf(command, "check", "Report everything that would keep the server from starting.")
    .usage("[FILE] [--SETTING VALUE ...]")
    .action((_, __, { args }: Command) => {
      const [first] = args;
      const isFile = first !== undefined && !first.startsWith("-");
      const { config, origins, file } = load(
        isFile ? args.slice(1) : args,
        isFile ? first : undefined,
      );
      assertServable(config, origins);
      write(`The configuration is valid (${file ?? "no file"}).\n`);
    });
  command
    .command("schema")
    .description("Print the JSON Schema of the configuration file, for editors.")
    .action(() => write(renderConfigJsonSchema()));
  return command;
}

/** The configuration as YAML, secrets hidden, with a comment wherever a value is not the default. */
export async function renderEffectiveConfig({ config, origins }: LoadedConfig): Promise<string> {
  const { Document, isScalar, visit } = await import("yaml");
  const document = new Document(redactConfig(config));
  visit(document, {
    Pair(_, pair, ancestors) {
      const keys = [...ancestors, pair].flatMap((node) =>
        "key" in node && isScalar(node.key) ? [String(node.key.value)] : [],
      );
      const origin: ConfigSource | undefined = origins.get(keys.join("."));
      if (origin === undefined) return;
      const comment = ` ${toSourceText(origin)}`;
      if (isScalar(pair.value)) pair.value.comment = comment;
      else if (isScalar(pair.key)) pair.key.commentBefore = comment;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** A subcommand whose flags are settings, which commander need not know. */
function addLeaf(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .argument("[settings...]")
    .allowUnknownOption();
}

function writeOut(text: string): void {
  process.stdout.write(text);
}
