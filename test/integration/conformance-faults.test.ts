import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { PROTOCOLS } from "../../src/conformance/judge-server.ts";
import type { Send } from "../../src/conformance/raw-http.ts";
import { createSend } from "../../src/conformance/raw-http.ts";
import type { CaseReport } from "../../src/conformance/run-cases.ts";
import { toExitCode } from "../../src/conformance/run-cases.ts";
import type { OpenInferenceFault } from "../support/scripted-open-inference.ts";
import { createScriptedOpenInference } from "../support/scripted-open-inference.ts";
import type { TensorFlowFault } from "../support/scripted-tensorflow-serving.ts";
import { createScriptedTensorFlow } from "../support/scripted-tensorflow-serving.ts";
import type { TextServerFault } from "../support/scripted-text-server.ts";
import { createScriptedTextServer } from "../support/scripted-text-server.ts";

const open: { close: () => void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Starts a server that is closed after the test. */
async function listen(listener: RequestListener, limits = {}): Promise<Send> {
  const server = createServer(listener);
  open.push({
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}`);
  return createSend({ url, timeoutMs: 2000, maxAnswerBytes: 1_000_000, ...limits });
}

async function judge(protocol: string, listener: RequestListener, model?: string) {
  const send = await listen(listener);
  const judgement = await PROTOCOLS[protocol]?.({
    send,
    ...(model === undefined ? {} : { model }),
  });
  return judgement?.cases ?? [];
}

function idsOf(cases: readonly CaseReport[], outcome: string): string[] {
  return cases.filter(({ verdict }) => verdict.outcome === outcome).map(({ id }) => id);
}

test("a right server of Open Inference fails nothing, and its missing extensions are named", async () => {
  const cases = await judge("open-inference", createScriptedOpenInference(), "scale");
  expect(idsOf(cases, "fail")).toEqual([]);
  expect(toExitCode(cases)).toBe(0);
  expect(idsOf(cases, "unsupported")).toContain("binary/inputs");
  expect(idsOf(cases, "unsupported")).toContain("triton/statistics");
  expect(idsOf(cases, "pass")).toContain("infer/nested-data");
});

/** Every fault with all the cases that must see it, and no others. */
const FAULTS: readonly (readonly [OpenInferenceFault, readonly string[]])[] = [
  ["loses ids", ["infer/id"]],
  ["answers with every output", ["infer/some-outputs"]],
  [
    "fails on broken JSON",
    [
      "refusal/malformed-json",
      "refusal/empty-body",
      "refusal/invalid-utf8",
      // To a server that knows no compression these are broken JSON too.
      "encoding/gzip-in",
      "encoding/deflate-in",
    ],
  ],
  ["has errors that are objects", ["errors/error-member"]],
  ["takes any datatype", ["refusal/unknown-datatype", "refusal/wrong-datatype"]],
  ["has every model", ["address/unknown-model", "errors/error-member"]],
  ["hangs up on deep JSON", ["refusal/deep-json"]],
  ["reads nested data backwards", ["infer/nested-data"]],
];

test.each(FAULTS)("a server that %s fails the cases about it and no others", async (fault, ids) => {
  const cases = await judge("open-inference", createScriptedOpenInference(fault), "scale");
  expect(idsOf(cases, "fail").sort()).toEqual([...ids].sort());
  expect(toExitCode(cases)).toBe(1);
});

test("outputs whose shape and data disagree are seen wherever there is an answer", async () => {
  const scripted = createScriptedOpenInference("counts its elements wrong");
  const cases = await judge("open-inference", scripted, "scale");
  const flat = cases.find(({ id }) => id === "infer/flat-data");
  expect(flat?.verdict).toMatchObject({
    outcome: "fail",
    found: "output twice: 4 elements in data for shape [3,2]",
  });
});

test("an extension that is listed and refused is a failure, but no required one", async () => {
  const scripted = createScriptedOpenInference("lists bytes and refuses them");
  const cases = await judge("open-inference", scripted, "scale");
  expect(idsOf(cases, "fail")).toContain("binary/inputs");
  expect(toExitCode(cases)).toBe(0);
});

test("a right server of Text Embeddings Inference fails nothing", async () => {
  const cases = await judge("tei", createScriptedTextServer());
  expect(idsOf(cases, "fail")).toEqual([]);
  expect(idsOf(cases, "pass")).toContain("predict/batch");
  expect(idsOf(cases, "unsupported")).toEqual(["tokenize"]);
});

const TEXT_FAULTS: readonly (readonly [TextServerFault, readonly string[]])[] = [
  ["sorts labels worst first", ["predict/single"]],
  ["reads a pair as a batch", ["predict/pair"]],
  ["takes three plain texts", ["predict/three-texts"]],
  ["leaves out error_type", ["errors/body"]],
  ["forgets a label", ["predict/all-labels"]],
  ["ignores raw_scores", ["predict/raw-scores"]],
  ["answers other kinds with 500", ["other-kind/embed", "other-kind/rerank"]],
  ["writes times with fractions", ["predict/compute-headers"]],
];

test.each(TEXT_FAULTS)(
  "a text server that %s fails the cases about it alone",
  async (fault, ids) => {
    expect(idsOf(await judge("tei", createScriptedTextServer(fault)), "fail")).toEqual(ids);
  },
);

test("a right server of TensorFlow Serving fails nothing", async () => {
  const cases = await judge("tensorflow-serving", createScriptedTensorFlow(), "length");
  expect(idsOf(cases, "fail")).toEqual([]);
  expect(idsOf(cases, "pass")).toEqual(
    expect.arrayContaining(["predict/b64", "predict/floats", "predict/bare-rows", "classify"]),
  );
});

const TENSORFLOW_FAULTS: readonly (readonly [TensorFlowFault, readonly string[]])[] = [
  ["writes floats as whole numbers", ["predict/floats"]],
  ["writes versions as numbers", ["status/all", "status/version"]],
  ["takes both instances and inputs", ["predict/refuses-both"]],
  ["refuses b64", ["predict/b64"]],
  ["writes result instead of results", ["classify"]],
];

test.each(TENSORFLOW_FAULTS)(
  "a TensorFlow server that %s fails the cases about it alone",
  async (fault, ids) => {
    const scripted = createScriptedTensorFlow(fault);
    expect(idsOf(await judge("tensorflow-serving", scripted, "length"), "fail")).toEqual(ids);
  },
);

test("a TensorFlow server with statuses of its own fails every address that is not there", async () => {
  const scripted = createScriptedTensorFlow("answers unknown addresses with 404");
  const failed = idsOf(await judge("tensorflow-serving", scripted, "length"), "fail");
  expect(failed).toEqual([
    "path/unknown",
    "path/unknown-area",
    "path/wrong-verb",
    "path/post-status",
    "path/unknown-method",
    "path/version-and-label",
    "path/version-not-numeric",
  ]);
});

test("a TensorFlow server that wants a content type fails where it has to answer", async () => {
  const scripted = createScriptedTensorFlow("wants a content type");
  const failed = idsOf(await judge("tensorflow-serving", scripted, "length"), "fail");
  expect(failed).toEqual(expect.arrayContaining(["predict/rows", "predict/columns"]));
});

test("a server without an index and without --model cannot be judged", async () => {
  await expect(judge("open-inference", createScriptedOpenInference())).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("--model"),
  });
});

test("a server that never answers is given up in time", async () => {
  const send = await listen(() => undefined, { timeoutMs: 50 });
  await expect(send({ method: "GET", path: "/" })).rejects.toMatchObject({
    code: "deadline_exceeded",
  });
});

test("an answer beyond the limit is given up", async () => {
  const send = await listen((_, response) => response.end("a".repeat(5000)), {
    maxAnswerBytes: 1000,
  });
  await expect(send({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "too_large" });
});
