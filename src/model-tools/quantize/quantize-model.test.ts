import { toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { createIdTexts, createSmallEncoderBytes } from "../../../test/support/small-encoder.ts";
import { ModelProtoSchema, TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { findLargest } from "../evaluate/classification-metrics.ts";
import { createModel, createNode, createValueInfo } from "../onnx/write-onnx.ts";
import { readAnswerForm, runTexts } from "./model-answers.ts";
import { openModelSession } from "./model-session.ts";
import { renderQuantizationReport } from "./quantization-report.ts";
import type { QuantizationTexts, QuantizeModelOptions } from "./quantize-model.ts";
import { quantizeModel } from "./quantize-model.ts";

const float = createSmallEncoderBytes();
const session = { padId: 0, threads: 1 };
const gateTexts = createIdTexts(60, 3);

const options: QuantizeModelOptions = {
  methods: ["min-max", "percentile"],
  smoothing: "auto",
  biasCorrection: "auto",
  form: "fused",
  percentile: 99.99,
  reducesRange: false,
  quantizesEmbeddings: true,
  maxLossPoints: 10,
  isMultiLabel: false,
  maxTokens: 64,
  session,
  speedRepetitions: 0,
  host: { processor: "test", onnxRuntime: "test", threads: 1 },
  now: () => 0,
  onProgress: () => {},
};

/** The float model's own answers are the truth, so it is always right. */
async function createTexts(hasLabels = true): Promise<QuantizationTexts> {
  const opened = await openModelSession(float, session);
  const form = await readAnswerForm(opened, false);
  const answers = await runTexts(opened, form, gateTexts);
  await opened.close();
  const labels = hasLabels ? answers.map(findLargest) : undefined;
  return {
    calibration: createIdTexts(50, 1),
    selection: createIdTexts(40, 2),
    gate: [{ name: "gate.csv", texts: gateTexts, labels }],
  };
}

test("the recipe with the least drift is chosen, measured and reported", async () => {
  const { model, report } = await quantizeModel(float, await createTexts(), options);
  expect(model.length).toBeLessThan(0.5 * float.length);
  expect(report.decision.isAllowed).toBe(true);
  expect(report.trials).toHaveLength(5);
  const drifts = report.trials.map(({ meanDrift }) => meanDrift);
  expect(report.trials[0]?.meanDrift).toBeLessThanOrEqual(Math.min(...drifts) / 0.8);
  expect(report.gate[0]?.accuracy?.float).toBe(1);
  expect(report.gate[0]?.accuracy?.quantized).toBe(report.gate[0]?.agreement);
  expect(report.batchIndependence.quantized).toEqual({ texts: 60, changed: 0, maxDifference: 0 });
  expect(report.recipe).toMatchObject({ quantizedLayers: 12, embeddings: "int8", form: "fused" });
  const screen = renderQuantizationReport(report);
  expect(screen).toContain("gate.csv");
  expect(screen).toContain("0 of 60");
  expect(screen).toContain(report.decision.reason);
});

test("when nothing passes, the report says so after more was spent on sensitive layers", async () => {
  const steps: string[] = [];
  const strict = { ...options, maxLossPoints: -1, onProgress: (step: string) => steps.push(step) };
  const { report } = await quantizeModel(float, await createTexts(), strict);
  expect(report.decision.isAllowed).toBe(false);
  expect(report.decision.reason).toContain("-1 allowed");
  expect(steps.filter((step) => /16-bit activations for/.test(step))).toHaveLength(6);
});

test("with more spent on a few layers a narrow gate is passed that the plain recipe fails", async () => {
  const texts = await createTexts(false);
  // A coarse recipe, so that there is something to lose: a fifth of the numbers are clipped.
  const coarse = { ...options, methods: ["percentile"] as const, percentile: 80 };
  const loose = { ...coarse, smoothing: "off" as const, biasCorrection: "off" as const };
  const all = await quantizeModel(float, texts, { ...loose, maxLossPoints: 100 });
  const lost = all.report.decision.lossPoints;
  expect(all.report.recipe).toMatchObject({ fineLayers: [], floatLayers: [] });
  expect(lost).toBeGreaterThan(5);
  const some = await quantizeModel(float, texts, { ...loose, maxLossPoints: lost - 1 });
  expect(some.report.decision.isAllowed).toBe(true);
  expect(some.report.recipe.fineLayers.length).toBeGreaterThan(0);
});

test("without labels the report warns that only agreement counts", async () => {
  const { report } = await quantizeModel(float, await createTexts(false), options);
  expect(report.gate[0]?.accuracy).toBeUndefined();
  expect(report.warnings).toContainEqual(expect.stringContaining("Without labels"));
});

test("a dynamic model comes with a warning, and its dependence on the batch is found", async () => {
  const { report } = await quantizeModel(float, await createTexts(), {
    ...options,
    methods: ["dynamic"],
  });
  expect(report.recipe.form).toBe("dynamic");
  expect(report.batchIndependence.quantized.changed).toBeGreaterThan(0);
  expect(report.warnings).toContainEqual(expect.stringContaining("depends on the other texts"));
});

test("speed is measured for the float model and both forms, by the clock that is given", async () => {
  let ms = 0;
  const timed = { ...options, speedRepetitions: 2, now: () => ms++ };
  const { report } = await quantizeModel(float, await createTexts(), timed);
  expect(report.speed?.models).toEqual(["float32", "int8 fused", "int8 portable"]);
  expect(report.speed?.shapes.map(({ length }) => length)).toEqual([16, 64, 32]);
  expect(report.speed?.shapes[0]?.medianMs).toEqual([1, 1, 1]);
});

test("features are measured by their direction", async () => {
  const encoder = createSmallEncoderBytes({ kind: "hidden-states" });
  const texts = await createTexts(false);
  const { report } = await quantizeModel(encoder, texts, options);
  expect(report.answer).toBe("features");
  expect(report.gate[0]?.agreement).toBeUndefined();
  expect(report.gate[0]?.meanDrift).toBeLessThan(0.02);
});

test("a model without linear layers is refused", async () => {
  const { FLOAT } = TensorProto_DataType;
  const model = createModel({
    name: "test",
    inputs: [createValueInfo("x", FLOAT, ["n"])],
    outputs: [createValueInfo("y", FLOAT, ["n"])],
    initializers: [],
    nodes: [createNode("Relu", ["x"], "y")],
    metadata: {},
  });
  const bytes = toBinary(ModelProtoSchema, model);
  await expect(quantizeModel(bytes, await createTexts(), options)).rejects.toThrow(
    "nothing to quantize",
  );
});
