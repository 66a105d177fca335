import type { ConformanceCase } from "../case.ts";
import { fail, pass, unsupported } from "../case.ts";
import { describe, expectRefusal, expectThat, fieldsOf, listOf, wrongStatus } from "../judge.ts";
import type { OpenInferenceTarget } from "./target.ts";
import { errorOf } from "./target.ts";

const SPEC = "Open Inference Protocol, REST";
const TRITON = "Triton, protocol extensions";
const DATATYPES =
  "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES BF16".split(" ");

type Case = ConformanceCase<OpenInferenceTarget>;

/** Which of the documented bodies of health answers came. */
function readHealthBody(json: unknown, text: string): string {
  if (text === "") return "no body";
  const { live, ready } = fieldsOf(json);
  const named = [live === undefined ? [] : ["live"], ready === undefined ? [] : ["ready"]].flat();
  return named.length === 0 ? "a body of its own" : `body with ${named.join(" and ")}`;
}

const health = (what: "live" | "ready"): Case => ({
  id: `v2.health.${what}`,
  title: `server ${what}`,
  source: SPEC,
  level: "required",
  run: async ({ http }) => {
    const answer = await http.send({ path: `/v2/health/${what}` });
    return wrongStatus(answer, 200) ?? pass(readHealthBody(answer.json, answer.text));
  },
});

/** What the server says about itself and its model, and where it has nothing to say. */
export const DESCRIBE_CASES: readonly Case[] = [
  health("live"),
  health("ready"),
  {
    id: "v2.metadata.server",
    title: "server metadata names the server, its version and extensions",
    source: SPEC,
    level: "required",
    run: async ({ http }) => {
      const answer = await http.send({ path: "/v2" });
      const { name, version, extensions } = fieldsOf(answer.json);
      const holds =
        typeof name === "string" && typeof version === "string" && Array.isArray(extensions);
      return expectThat(answer, holds, "name, version and extensions");
    },
  },
  {
    id: "v2.metadata.model",
    title: "model metadata names inputs and outputs with datatype and shape",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath, model }) => {
      const answer = await http.send({ path: modelPath });
      const { name, platform, inputs, outputs } = fieldsOf(answer.json);
      const isTensor = (value: unknown) => {
        const { name: own, datatype, shape } = fieldsOf(value);
        return (
          typeof own === "string" &&
          DATATYPES.includes(String(datatype)) &&
          listOf(shape).every(Number.isSafeInteger)
        );
      };
      const tensors = [...listOf(inputs), ...listOf(outputs)];
      const holds =
        name === model &&
        typeof platform === "string" &&
        tensors.length > 1 &&
        tensors.every(isTensor);
      return expectThat(
        answer,
        holds,
        "name, platform, inputs and outputs, each with name, datatype and shape",
      );
    },
  },
  {
    id: "v2.metadata.versions",
    title: "model metadata lists versions as texts",
    source: SPEC,
    level: "recommended",
    run: async ({ http, modelPath }) => {
      const answer = await http.send({ path: modelPath });
      const { versions } = fieldsOf(answer.json);
      const holds = Array.isArray(versions) && versions.every((one) => typeof one === "string");
      return expectThat(answer, holds, "versions, a list of texts");
    },
  },
  {
    id: "v2.model.ready",
    title: "model ready",
    source: SPEC,
    level: "required",
    run: async ({ http, modelPath }) => {
      const answer = await http.send({ path: `${modelPath}/ready` });
      return wrongStatus(answer, 200) ?? pass(readHealthBody(answer.json, answer.text));
    },
  },
  {
    id: "v2.model.version-path",
    title: "a version of the metadata can be named in the path",
    source: SPEC,
    level: "recommended",
    run: async ({ http, model, modelPath }) => {
      const [version] = listOf(fieldsOf((await http.send({ path: modelPath })).json)["versions"]);
      if (typeof version !== "string") return unsupported("the metadata lists no versions");
      const path = `/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;
      return wrongStatus(await http.send({ path }), 200) ?? pass(`version ${version}`);
    },
  },
  ...(
    [
      [
        "v2.unknown.model",
        "an unknown model is refused",
        "/v2/models/no-such-model-here",
        [404, 400],
      ],
      ["v2.unknown.path", "an unknown address is refused", "/v2/no/such/address", [404]],
    ] as const
  ).map(
    ([id, title, path, usual]): Case => ({
      id,
      title,
      source: SPEC,
      level: id.endsWith("model") ? "required" : "recommended",
      run: async ({ http }) => expectRefusal(await http.send({ path }), usual, errorOf),
    }),
  ),
  {
    id: "v2.unknown.version",
    title: "an unknown version is refused",
    source: SPEC,
    level: "recommended",
    run: async ({ http, model }) => {
      const path = `/v2/models/${encodeURIComponent(model)}/versions/98765`;
      return expectRefusal(await http.send({ path }), [404, 400], errorOf);
    },
  },
  {
    id: "v2.wrong-verb",
    title: "a wrong method is refused",
    source: SPEC,
    level: "recommended",
    run: async ({ http, modelPath }) =>
      expectRefusal(await http.send({ path: `${modelPath}/infer` }), [405], errorOf),
  },
  {
    id: "v2.error.type",
    title: "errors are JSON",
    source: SPEC,
    level: "recommended",
    run: async ({ http }) => {
      const answer = await http.send({ path: "/v2/models/no-such-model-here" });
      const type = String(answer.headers["content-type"]);
      return type.startsWith("application/json")
        ? pass(type)
        : fail("content type application/json", `${type}: ${describe(answer)}`);
    },
  },
  ...(
    [
      [
        "v2.repository.index",
        "repository index",
        "POST",
        () => "/v2/repository/index",
        Array.isArray,
      ],
      [
        "v2.statistics",
        "statistics of a model",
        "GET",
        (path: string) => `${path}/stats`,
        (json: unknown) => Array.isArray(fieldsOf(json)["model_stats"]),
      ],
      [
        "v2.config",
        "configuration of a model",
        "GET",
        (path: string) => `${path}/config`,
        (json: unknown) => typeof fieldsOf(json)["name"] === "string",
      ],
    ] as const
  ).map(
    ([id, title, method, pathOf, holds]): Case => ({
      id,
      title,
      source: TRITON,
      level: "extension",
      run: async ({ http, modelPath }) => {
        const body = method === "POST" ? { body: "{}" } : {};
        const answer = await http.send({ method, path: pathOf(modelPath), ...body });
        if ([404, 405, 501].includes(answer.status)) return unsupported(String(answer.status));
        return expectThat(answer, holds(answer.json), "the extension's answer");
      },
    }),
  ),
];
