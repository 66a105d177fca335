import { basename } from "node:path";
import { Command } from "commander";
import type { ExportResult } from "../model-tools/export/export-model.ts";
import { exportModel } from "../model-tools/export/export-model.ts";

/**
 * `sluice export`: makes an ONNX model of a Hugging Face folder. The action throws SluiceError for anything that the
 * caller can mend.
 *
 * @param write receives what the command prints; default: standard output.
 */
export function createExportCommand(
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  return new Command("export")
    .description("Make an ONNX model of a Hugging Face folder of the BERT family.")
    .argument("<folder>", "folder with config.json and model.safetensors")
    .requiredOption("--output <folder>", "where model.onnx and the tokenizer's files go")
    .action(async (folder: string, { output }: { output: string }) => {
      write(renderResult(await exportModel(folder, output), output));
    });
}

function renderResult({ config, head, written, copied }: ExportResult, output: string): string {
  const { layers, hiddenSize } = config;
  const answer = head.kind === "classification" ? `${head.labels} labels` : "vectors of tokens";
  const files = written.map(
    ({ path, bytes }) => `${basename(path)} (${(bytes / 1e6).toFixed(1)} MB)`,
  );
  return [
    `Encoder of ${layers} layers, ${hiddenSize} wide; gives ${answer}.`,
    `Wrote ${files.join(" and ")} to ${output}`,
    ...(copied.length === 0 ? [] : [`Copied ${copied.join(", ")}`]),
    ...(copied.length === 0 || copied.includes("tokenizer.json")
      ? []
      : [
          "There is no tokenizer.json, which serving needs: save the fast tokenizer with save_pretrained.",
        ]),
    "",
  ].join("\n");
}
