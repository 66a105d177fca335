import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { DataFormat, ReadExamplesOptions } from "../model-tools/data/read-examples.ts";

/** The flags that say how to read a file of labelled texts, as commander hands them over. */
export interface DataFileFlags {
  readonly text: string;
  readonly label: string;
  readonly format?: DataFormat;
  readonly rename?: ReadonlyMap<string, string>;
  readonly skipBadRows?: boolean;
}

/** Adds the flags of {@link DataFileFlags}. */
export function addDataFileOptions(command: Command): Command {
  return command
    .option("--text <column>", "column of the text: name, or number from 1 without header", "text")
    .option("--label <column>", "column of the label", "label")
    .addOption(new Option("--format <format>", "of the file").choices(["csv", "tsv", "jsonl"]))
    .option(
      "--rename <pairs>",
      "other names for labels, e.g. 0=negative,1=positive",
      parseLabelNames,
    )
    .option("--skip-bad-rows", "leave rows out that cannot be used, instead of stopping");
}

/** Only what was said, so that defaults decide the rest. */
export function toReadOptions(flags: DataFileFlags): ReadExamplesOptions {
  const { text, label, format, rename, skipBadRows } = flags;
  return {
    text,
    label,
    ...(format === undefined ? {} : { format }),
    ...(rename === undefined ? {} : { labelNames: rename }),
    ...(skipBadRows === undefined ? {} : { skipBadRows }),
  };
}

function parseLabelNames(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const pair of text.split(",")) {
    const separator = pair.indexOf("=");
    const [from, to] = [pair.slice(0, Math.max(separator, 0)).trim(), pair.slice(separator + 1)];
    if (from === "" || to.trim() === "") {
      throw new InvalidArgumentError("Expected OLD=NEW pairs with commas between them.");
    }
    names.set(from, to.trim());
  }
  return names;
}
