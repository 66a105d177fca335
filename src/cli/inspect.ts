import { Command } from "commander";
import { toMultiplyAdds } from "../model-tools/onnx/estimate-cost.ts";
import type { ModelInspection } from "../model-tools/onnx/inspect-model.ts";
import { inspectModel } from "../model-tools/onnx/inspect-model.ts";
import { locateModelFile, readStatedTask } from "../model-tools/onnx/locate-model-file.ts";
import type { RunTime } from "../model-tools/onnx/measure-model.ts";
import { measureModel } from "../model-tools/onnx/measure-model.ts";
import type { ModelFile } from "../model-tools/onnx/read-model-file.ts";
import { readModelFile } from "../model-tools/onnx/read-model-file.ts";
import { COST_LENGTHS, renderInspection } from "../model-tools/onnx/render-inspection.ts";

interface InspectFlags {
  readonly json?: boolean;
  readonly measure?: boolean;
}

/**
 * `sluice inspect`: shows what a model consists of, what is wrong with it, and what it costs. The process ends with 1
 * when there are errors. The action throws SluiceError for anything that the caller can mend.
 *
 * @param write receives what the command prints; default: standard output.
 */
export function createInspectCommand(
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  return new Command("inspect")
    .description("Show what an ONNX model consists of, check it, and estimate its cost.")
    .argument("<model>", "an .onnx file, or the folder of a package")
    .option("--measure", "run it too: milliseconds per text on this machine")
    .option("--json", "print JSON")
    .action(async (model: string, flags: InspectFlags) => {
      const file = await readModelFile(await locateModelFile(model));
      try {
        const task = await readStatedTask(model);
        const inspection = await inspectModel(file);
        const times = flags.measure === true ? await measure(file) : undefined;
        write(
          flags.json === true
            ? renderJson(inspection, task, times)
            : `${task === undefined ? "" : `Task: ${task}\n`}${renderInspection(inspection, times)}`,
        );
        if (inspection.findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
      } finally {
        await file.close();
      }
    });
}

async function measure({ path, model }: ModelFile): Promise<RunTime[]> {
  return model.graph === undefined ? [] : await measureModel(path, model.graph, COST_LENGTHS);
}

function renderJson(
  inspection: ModelInspection,
  task: string | undefined,
  times: readonly RunTime[] | undefined,
): string {
  const { cost } = inspection;
  const costs = COST_LENGTHS.map((tokens) => ({
    tokens,
    ...(cost === undefined ? {} : { multiplyAdds: toMultiplyAdds(cost, tokens) }),
    ...times?.find((time) => time.tokens === tokens),
  }));
  return `${JSON.stringify({ task, ...inspection, costs }, null, 2)}\n`;
}
