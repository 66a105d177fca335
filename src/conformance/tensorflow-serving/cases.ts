import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, unsupported } from "../case.ts";
import type { ProbeAnswer } from "../http-probe.ts";
import { describe, expectThat, fieldsOf, listOf, wrongStatus } from "../judge.ts";
import type { TensorFlowTarget } from "./target.ts";
import { errorOf } from "./target.ts";

const SPEC = "TensorFlow Serving, RESTful API";
const SERVER = "TensorFlow Serving, http_rest_api_handler.cc";

type Case = ConformanceCase<TensorFlowTarget>;

/** Whether there is one prediction per row. */
const hasRows = ({ json }: ProbeAnswer, rows: number) =>
  listOf(fieldsOf(json)["predictions"]).length === rows;

const STATUS_CASES: readonly Case[] = [
  {
    id: "tfs.status",
    title: "status lists versions as texts, with their states",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath }) => {
      const answer = await http.send({ path: modelPath });
      const versions = listOf(fieldsOf(answer.json)["model_version_status"]).map(fieldsOf);
      const isStatus = ({ version, state, status }: Readonly<Record<string, unknown>>) =>
        typeof version === "string" &&
        typeof state === "string" &&
        typeof fieldsOf(status)["error_code"] === "string";
      return expectThat(
        answer,
        versions.length > 0 && versions.every(isStatus),
        "model_version_status",
      );
    },
  },
  {
    id: "tfs.status.version",
    title: "status of one version",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath }) => {
      const all = listOf(
        fieldsOf((await http.send({ path: modelPath })).json)["model_version_status"],
      );
      const { version } = fieldsOf(all[0]);
      if (typeof version !== "string" || modelPath.includes("/versions/"))
        return unsupported("a version is named already");
      const answer = await http.send({ path: `${modelPath}/versions/${version}` });
      const listed = listOf(fieldsOf(answer.json)["model_version_status"]);
      return expectThat(answer, listed.length === 1, `version ${version} alone`);
    },
  },
  {
    id: "tfs.metadata",
    title: "metadata has the signatures, with sizes as texts",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath }) => {
      const answer = await http.send({ path: `${modelPath}/metadata` });
      const { model_spec: spec, metadata } = fieldsOf(answer.json);
      const signatures = fieldsOf(fieldsOf(fieldsOf(metadata)["signature_def"])["signature_def"]);
      const { inputs } = fieldsOf(signatures["serving_default"]);
      const dims = Object.values(fieldsOf(inputs)).flatMap((info) =>
        listOf(fieldsOf(fieldsOf(info)["tensor_shape"])["dim"]),
      );
      const areTexts = dims.every((dim) => typeof fieldsOf(dim)["size"] === "string");
      return expectThat(
        answer,
        typeof fieldsOf(spec)["version"] === "string" && areTexts,
        "model_spec and signature_def.signature_def",
      );
    },
  },
];

const PREDICT_CASES: readonly Case[] = [
  {
    id: "tfs.predict.rows",
    title: "predict in row form, by name",
    source: SPEC,
    level: "required",
    run: async ({ ask, row, maxRows }) => {
      const instances = Array.from({ length: maxRows }, () => row);
      const answer = await ask("predict", { instances });
      return expectThat(answer, hasRows(answer, maxRows), `${maxRows} predictions`);
    },
  },
  {
    id: "tfs.predict.bare",
    title: "predict in row form, bare values of the only input",
    source: SPEC,
    level: "required",
    run: async ({ ask, row, inputs }) => {
      if (inputs.length > 1) return unsupported("the model has several inputs");
      const answer = await ask("predict", { instances: Object.values(row) });
      return expectThat(answer, hasRows(answer, 1), "one prediction");
    },
  },
  {
    id: "tfs.predict.columns",
    title: "predict in column form",
    source: SPEC,
    level: "required",
    run: async ({ ask, row }) => {
      const inputs = Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, [value]]),
      );
      const answer = await ask("predict", { inputs });
      return expectThat(answer, fieldsOf(answer.json)["outputs"] !== undefined, "outputs");
    },
  },
  {
    id: "tfs.predict.signature",
    title: "the signature serving_default can be named",
    source: SPEC,
    level: "required",
    run: async ({ ask, row }) => {
      const answer = await ask("predict", { signature_name: "serving_default", instances: [row] });
      return expectThat(answer, hasRows(answer, 1), "one prediction");
    },
  },
  {
    id: "tfs.predict.floats",
    title: "floats have a point or an exponent",
    source: SERVER,
    level: "recommended",
    run: async ({ ask, row, hasNoWholeOutputs }) => {
      if (!hasNoWholeOutputs) return unsupported("an output is of whole numbers");
      const answer = await ask("predict", { instances: [row] });
      const wrong = wrongStatus(answer, 200);
      if (wrong !== undefined) return wrong;
      const whole = /[[:,]\s*-?\d+\s*[,\]}]/.exec(answer.text);
      return whole === null ? pass() : fail("1.0 rather than 1", describe(answer));
    },
  },
  {
    id: "tfs.predict.b64",
    title: "bytes as b64",
    source: SPEC,
    level: "required",
    run: async ({ ask, row, inputs }) => {
      if (inputs.some(({ dtype }) => dtype !== "DT_STRING"))
        return unsupported("the model reads no bytes");
      const encoded = Object.entries(row).map(([name, value]) => [
        name,
        { b64: Buffer.from(String(value)).toString("base64") },
      ]);
      const answer = await ask("predict", { instances: [Object.fromEntries(encoded)] });
      return expectThat(answer, hasRows(answer, 1), "one prediction");
    },
  },
  {
    id: "tfs.predict.version",
    title: "predict of one version",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath, row }) => {
      const all = listOf(
        fieldsOf((await http.send({ path: modelPath })).json)["model_version_status"],
      ).map(fieldsOf);
      const version = all.find(({ state }) => state === "AVAILABLE")?.["version"];
      if (modelPath.includes("/versions/")) return unsupported("a version is named already");
      const answer = await http.send({
        method: "POST",
        path: `${modelPath}/versions/${String(version)}:predict`,
        body: JSON.stringify({ instances: [row] }),
      });
      return expectThat(answer, hasRows(answer, 1), "one prediction");
    },
  },
  ...(["classify", "regress"] as const).map(
    (verb): Case => ({
      id: `tfs.${verb}`,
      title: `${verb} of examples`,
      source: SPEC,
      level: "extension",
      run: async ({ ask, row }) => {
        const answer = await ask(verb, { examples: [row] });
        if (answer.status === 400) return unsupported(describe(answer));
        const { results, result } = fieldsOf(answer.json);
        const found = listOf(results ?? result);
        return expectThat(answer, found.length === 1, "one result");
      },
    }),
  ),
];

/** A request that must be refused, and how. */
interface Refusal {
  readonly id: string;
  readonly title: string;
  readonly status: number;
  /** Words that the program writes; other servers may write others. */
  readonly words: string;
  readonly send: (target: TensorFlowTarget) => Promise<ProbeAnswer>;
}

const post = (
  id: string,
  title: string,
  body: (target: TensorFlowTarget) => string | object,
  words = "",
): Refusal => ({
  id,
  title,
  status: 400,
  words,
  send: (target) => target.ask("predict", body(target)),
});

const REFUSALS: readonly Refusal[] = [
  post("empty", "an empty body is refused", () => "", "The document is empty"),
  post("json", "what is no JSON is refused", () => "{", "JSON Parse error"),
  post("depth", "lists ten thousand deep are refused", () => `{"instances":${"[".repeat(10_000)}`),
  post(
    "neither",
    "neither instances nor inputs is refused",
    () => ({}),
    "Missing 'inputs' or 'instances' key",
  ),
  post("both", "both instances and inputs are refused", ({ row }) => ({
    instances: [row],
    inputs: row,
  })),
  post("no-instances", "no instances are refused", () => ({ instances: [] })),
  post("mixed", "objects among plain values are refused", ({ row }) => ({ instances: [row, 1] })),
  post("name", "an unknown input is refused", () => ({ instances: [{ no_such_input_here: 1 }] })),
  post("signature", "an unknown signature is refused", ({ row }) => ({
    signature_name: "no_such_signature",
    instances: [row],
  })),
  post(
    "signature-type",
    "a signature that is no text is refused",
    ({ row }) => ({ signature_name: 1, instances: [row] }),
    "'signature_name' key must be a string value.",
  ),
  {
    id: "model",
    title: "an unknown model is refused",
    status: 404,
    words: "Servable not found for request",
    send: ({ http }) =>
      http.send({
        method: "POST",
        path: "/v1/models/no-such-model:predict",
        body: '{"instances":[1]}',
      }),
  },
  {
    id: "model-status",
    title: "status of an unknown model is refused",
    status: 404,
    words: "Could not find any versions of model",
    send: ({ http }) => http.send({ path: "/v1/models/no-such-model" }),
  },
  {
    id: "version",
    title: "an unknown version is refused",
    status: 404,
    words: "Servable not found for request",
    send: ({ http, model, row }) =>
      http.send({
        method: "POST",
        path: `/v1/models/${encodeURIComponent(model)}/versions/98765:predict`,
        body: JSON.stringify({ instances: [row] }),
      }),
  },
  {
    id: "label",
    title: "an unknown label is refused",
    status: 400,
    words: "Unrecognized servable version label",
    send: ({ http, model, row }) =>
      http.send({
        method: "POST",
        path: `/v1/models/${encodeURIComponent(model)}/labels/no-such-label:predict`,
        body: JSON.stringify({ instances: [row] }),
      }),
  },
  {
    id: "verb",
    title: "an unknown verb is a malformed request",
    status: 400,
    words: "Malformed request",
    send: (target) => target.ask("explain", {}),
  },
  {
    id: "method",
    title: "a wrong method is a malformed request",
    status: 400,
    words: "Malformed request",
    send: ({ http, modelPath }) => http.send({ path: `${modelPath}:predict` }),
  },
];

function judgeRefusal(answer: ProbeAnswer, { status, words }: Refusal): Verdict {
  const error = errorOf(answer);
  if (answer.status >= 500) return fail("a status of the 4xx", describe(answer));
  if (answer.status !== status) return fail(`status ${status}`, describe(answer));
  if (typeof error !== "string") return fail('{"error": "…"}', describe(answer));
  return error.includes(words) ? pass() : pass("in words of its own");
}

/** Everything that is tried of TensorFlow Serving's REST. */
export const TENSORFLOW_CASES: readonly Case[] = [
  ...STATUS_CASES,
  ...PREDICT_CASES,
  ...REFUSALS.map(
    (refusal): Case => ({
      id: `tfs.refuse.${refusal.id}`,
      title: refusal.title,
      source: SERVER,
      level: "required",
      run: async (target) => judgeRefusal(await refusal.send(target), refusal),
    }),
  ),
];
