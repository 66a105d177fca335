import type { ConformanceCase, Level, Verdict } from "../case.ts";
import { fail, pass, skipped } from "../case.ts";
import { describeAnswer, isObject, judgeProblem, readObject } from "../judge.ts";
import { judgeError } from "./describe-cases.ts";
import type { SignatureTensor, TensorFlowServer } from "./server.ts";
import { call, makeColumns, makeInstances, makeRow } from "./server.ts";

const SOURCE = "TensorFlow Serving: REST API, predict";

/** Questions in rows and columns, what their answers look like, and what is refused. */
export const PREDICT_CASES: readonly ConformanceCase<TensorFlowServer>[] = [
  predict("rows", "instances of named inputs get one prediction each", async (server) => {
    const answer = await call(server, "predict", { instances: makeInstances(server, 2) });
    const rows = answer.status === 200 ? readObject(answer)?.["predictions"] : undefined;
    if (!Array.isArray(rows) || rows.length !== 2)
      return fail("predictions, two", describeAnswer(answer));
    return judgeProblem("values by output name", findNameProblem(server, rows[0]));
  }),
  predict("columns", "inputs by name get outputs by name", async (server) => {
    const answer = await call(server, "predict", { inputs: makeColumns(server, 2) });
    const outputs = answer.status === 200 ? readObject(answer)?.["outputs"] : undefined;
    if (outputs === undefined) return fail("outputs", describeAnswer(answer));
    return judgeProblem("values by output name", findNameProblem(server, outputs));
  }),
  bare("bare-rows", "instances of a single input may be bare values", async (server, input) => {
    const instances = [makeRow(input, 0), makeRow(input, 1)];
    const answer = await call(server, "predict", { instances });
    const rows = readObject(answer)?.["predictions"];
    return Array.isArray(rows) && rows.length === 2
      ? pass()
      : fail("predictions, two", describeAnswer(answer));
  }),
  bare("bare-columns", "inputs of a single input may be the bare value", async (server, input) => {
    const answer = await call(server, "predict", { inputs: [makeRow(input, 0)] });
    return readObject(answer)?.["outputs"] === undefined
      ? fail("outputs", describeAnswer(answer))
      : pass();
  }),
  predict("signature-name", "signature_name serving_default is taken", async (server) => {
    const instances = makeInstances(server, 1);
    const body = { signature_name: "serving_default", instances };
    const answer = await call(server, "predict", body);
    return answer.status === 200 ? pass() : fail("predictions", describeAnswer(answer));
  }),
  predict("floats", "floats carry a point, a fraction or an exponent", async (server) => {
    const output = server.outputs.find(({ dtype }) => dtype === "DT_FLOAT");
    if (output === undefined) return skipped("no output of floats");
    const answer = await call(server, "predict", { inputs: makeColumns(server, 2) });
    const outputs = readObject(answer)?.["outputs"];
    if (answer.status !== 200 || outputs === undefined)
      return fail("outputs", describeAnswer(answer));
    // The text itself is looked at, because a parser sees no difference between 1 and 1.0.
    const text = answer.body.toString("utf8");
    const at = server.outputs.length === 1 ? text.indexOf('"outputs"') : findName(text, output);
    const list = /[[\d][^"{}]*/.exec(text.slice(text.indexOf(":", at) + 1))?.[0] ?? "";
    const numbers = list.match(/-?\d[\d.eE+-]*/g) ?? [];
    const whole = numbers.find((number) => !/[.eE]/.test(number));
    if (numbers.length === 0) return skipped("the answer has no numbers");
    return judgeProblem("numbers like 1.0", whole);
  }),
  bare("b64", "a text may come as an object b64", async (server, input) => {
    if (input.dtype !== "DT_STRING") return skipped("the input is no text");
    const text = Buffer.from(String(makeRow({ ...input, shape: [-1] }, 0)));
    const answer = await call(server, "predict", {
      instances: [{ [input.name]: { b64: text.toString("base64") } }],
    });
    return answer.status === 200 ? pass() : fail("predictions", describeAnswer(answer));
  }),
  bare("non-finite", "NaN and Infinity may be bare words", async (server, input) => {
    if (input.dtype !== "DT_FLOAT") return skipped("the input is no float");
    const row = JSON.stringify(makeRow(input, 0)).replace(/1/g, "NaN");
    const answer = await call(server, "predict", `{"instances":[${row},${row}]}`);
    return answer.status === 200 ? pass() : fail("predictions", describeAnswer(answer));
  }),
  predict("trailing-bytes", "bytes after the document do no harm", async (server) => {
    const body = `${JSON.stringify({ instances: makeInstances(server, 1) })} and more`;
    const answer = await call(server, "predict", body);
    if (answer.status === 200) return pass();
    return answer.status === 400 ? pass("refused, which is stricter") : judgeError(answer, [400]);
  }),
  refuse("mixed-rows", "bare values among named ones", (server) => {
    const [input] = server.inputs;
    if (input === undefined) return undefined;
    return { instances: [...makeInstances(server, 1), makeRow(input, 0)] };
  }),
  refuse("both", "both instances and inputs", (server) => ({
    instances: makeInstances(server, 1),
    inputs: makeColumns(server, 1),
  })),
  refuse("neither", "neither instances nor inputs", () => ({ signature_name: "serving_default" })),
  refuse("empty-instances", "an empty list of instances", () => ({ instances: [] })),
  refuse("instances-no-list", "instances that are no list", () => ({ instances: 3 })),
  refuse("unknown-input", "an input that the model does not have", (server) => ({
    // In rows: columns are looked up by the model's names, and the original never sees others.
    instances: makeInstances(server, 1).map((row) => ({ ...row, no_such_input: 1 })),
  })),
  refuse("ragged", "rows of different shapes", (server) => {
    const [row] = makeInstances(server, 1);
    const name = server.inputs[0]?.name ?? "";
    return { instances: [row, { ...row, [name]: [row?.[name], row?.[name]] }] };
  }),
  refuse("signature-no-text", "a signature_name that is no text", (server) => ({
    signature_name: 3,
    instances: makeInstances(server, 1),
  })),
  refuse("unknown-signature", "a signature that is not there", (server) => ({
    signature_name: "no_such_signature",
    instances: makeInstances(server, 1),
  })),
  refuse("malformed-json", "JSON that breaks off", () => '{"instances": ["a"'),
  refuse("empty-body", "an empty body", () => ""),
  refuse("not-an-object", "JSON that is no object", () => "[1]"),
  refuse("deep-json", "JSON nested 10,000 deep", () => {
    return `{"instances":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
  }),
  elsewhere("unknown-label", "a label that is not there", "/labels/no-such-label", [400]),
  elsewhere("unknown-version", "a version that is not there", "/versions/987654321", [404]),
  results("classify", "examples get lists of label and score", (rows) =>
    rows.every(
      (row) =>
        Array.isArray(row) &&
        row.every((pair) => typeof pair?.[0] === "string" && typeof pair[1] === "number"),
    ),
  ),
  results("regress", "examples get a number each", (rows) =>
    rows.every((row) => typeof row === "number"),
  ),
];

/** Several outputs come by name, a single one comes bare. */
function findNameProblem(server: TensorFlowServer, value: unknown): string | undefined {
  if (server.outputs.length < 2) return undefined;
  const names = server.outputs.map(({ name }) => name);
  const missing = names.find((name) => !isObject(value) || value[name] === undefined);
  return missing && `no ${missing} in ${JSON.stringify(value)?.slice(0, 120)}`;
}

function findName(text: string, { name }: SignatureTensor): number {
  return text.indexOf(`${JSON.stringify(name)}`, text.indexOf('"outputs"') + 1);
}

function predict(
  id: string,
  title: string,
  run: (server: TensorFlowServer) => Promise<Verdict>,
  level: Level = "required",
): ConformanceCase<TensorFlowServer> {
  return { id: `predict/${id}`, title, source: SOURCE, level, run };
}

function bare(
  id: string,
  title: string,
  judge: (server: TensorFlowServer, input: SignatureTensor) => Promise<Verdict>,
): ConformanceCase<TensorFlowServer> {
  return predict(id, title, async (server) => {
    const [input, ...others] = server.inputs;
    if (input === undefined || others.length > 0) return skipped("the model has several inputs");
    return judge(server, input);
  });
}

function refuse(
  id: string,
  what: string,
  toBody: (server: TensorFlowServer) => unknown,
): ConformanceCase<TensorFlowServer> {
  return predict(`refuses-${id}`, `refused with 400: ${what}`, async (server) => {
    const body = toBody(server);
    if (body === undefined) return skipped("the model has no input");
    return judgeError(await call(server, "predict", body), [400]);
  });
}

function elsewhere(
  id: string,
  what: string,
  suffix: string,
  statuses: readonly number[],
): ConformanceCase<TensorFlowServer> {
  return predict(id, `${what} is ${statuses.join(" or ")}`, async (server) => {
    const modelPath = `/v1/models/${encodeURIComponent(server.model)}${suffix}`;
    const body = { instances: makeInstances(server, 1) };
    return judgeError(await call({ ...server, modelPath }, "predict", body), statuses);
  });
}

/** Not every model has a signature for these; a refusal is no fault. */
function results(
  method: "classify" | "regress",
  title: string,
  isRight: (rows: readonly unknown[]) => boolean,
): ConformanceCase<TensorFlowServer> {
  return {
    id: method,
    title: `${method}: ${title}`,
    source: "TensorFlow Serving: REST API; the member is results, whatever the page says",
    level: "recommended",
    async run(server) {
      const answer = await call(server, method, { examples: makeInstances(server, 2) });
      if (answer.status >= 400 && answer.status < 500) {
        return skipped(`the model does not ${method}: ${describeAnswer(answer)}`);
      }
      const rows = answer.status === 200 ? readObject(answer)?.["results"] : undefined;
      return Array.isArray(rows) && rows.length === 2 && isRight(rows)
        ? pass()
        : fail("results, two", describeAnswer(answer));
    },
  };
}
