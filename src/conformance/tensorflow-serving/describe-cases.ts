import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass } from "../case.ts";
import type { JsonObject } from "../judge.ts";
import {
  describeAnswer,
  isObject,
  isTexts,
  judgeProblem,
  judgeStatus,
  readObject,
} from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import type { TensorFlowServer } from "./server.ts";
import { readSignatures } from "./server.ts";

const SOURCE = "TensorFlow Serving: REST API";
const STATES = ["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"];

/** Status, metadata and the grammar of addresses. */
export const DESCRIBE_CASES: readonly ConformanceCase<TensorFlowServer>[] = [
  describe("status/all", "the status lists versions and their states", async (server) => {
    const answer = await server.send({ method: "GET", path: toModelPath(server) });
    return judgeVersions(answer, server.version);
  }),
  describe("status/version", "the status of one version lists that version", async (server) => {
    const path = `${toModelPath(server)}/versions/${server.version}`;
    const answer = await server.send({ method: "GET", path });
    const verdict = judgeVersions(answer, server.version);
    return verdict.outcome === "pass" && readVersions(answer).length !== 1
      ? fail("one version", describeAnswer(answer))
      : verdict;
  }),
  describe("status/unknown-model", "the status of no model is 404 with error", async (server) =>
    judgeError(await server.send({ method: "GET", path: "/v1/models/no-such-model-4711" }), [404]),
  ),
  describe("status/unknown-version", "the status of no version is 404 with error", async (server) =>
    judgeError(
      await server.send({ method: "GET", path: `${toModelPath(server)}/versions/987654321` }),
      [404],
    ),
  ),
  describe("metadata/shape", "sizes are texts and signature_def is doubled", async (server) =>
    judgeProblem(
      "dtype, tensor_shape with sizes as texts, name, method_name",
      findMetadataProblem(server.metadata),
    ),
  ),
  describe(
    "metadata/spec",
    "model_spec has name, empty signature_name and version",
    async (server) => {
      const spec = server.metadata["model_spec"];
      const isRight =
        isObject(spec) &&
        spec["name"] === server.model &&
        spec["signature_name"] === "" &&
        typeof spec["version"] === "string";
      return isRight
        ? pass()
        : fail('{"name", "signature_name": "", "version": "1"}', JSON.stringify(spec) ?? "nothing");
    },
  ),
  describe("path/content-type", "answers are application/json", async (server) => {
    const answer = await server.send({ method: "GET", path: toModelPath(server) });
    const type = answer.headers["content-type"] ?? "no Content-Type";
    return type.startsWith("application/json") ? pass() : fail("application/json", type);
  }),
  malformed("unknown", "an address below a model that is not there", (path) => [
    "GET",
    `${path}/no-such-thing`,
  ]),
  {
    ...malformed("unknown-area", "an address beside the models", () => [
      "GET",
      "/v1/no-such-thing",
    ]),
    // Servers that speak several protocols on one port have other things there.
    level: "recommended",
  },
  malformed("wrong-verb", "GET of predict", (path) => ["GET", `${path}:predict`]),
  malformed("post-status", "POST of the status", (path) => ["POST", path]),
  malformed("unknown-method", "a method that does not exist", (path) => ["POST", `${path}:guess`]),
  malformed("version-and-label", "both a version and a label", (path) => [
    "POST",
    `${path}/versions/1/labels/stable:predict`,
  ]),
  malformed("version-not-numeric", "a version that is no number", (path) => [
    "GET",
    `${path}/versions/one`,
  ]),
  describe("path/version-too-large", "a version beyond 64 bits is 400", async (server) => {
    const path = `${toModelPath(server)}/versions/99999999999999999999`;
    return judgeError(await server.send({ method: "GET", path }), [400]);
  }),
  describe("path/models", "GET /v1/models is 400, or a list of models", async (server) => {
    const answer = await server.send({ method: "GET", path: "/v1/models" });
    const found = readObject(answer);
    if (answer.status === 400) return judgeError(answer, [400]);
    return answer.status === 200 && (isTexts(found?.["models"]) || Array.isArray(found?.["data"]))
      ? pass("a list of models, as KServe's or OpenAI's")
      : fail("400, or a list of models", describeAnswer(answer));
  }),
];

/** Without the version that the caller may have asked for. */
function toModelPath({ model }: TensorFlowServer): string {
  return `/v1/models/${encodeURIComponent(model)}`;
}

/** One of the statuses, and the member `error`. */
export function judgeError(answer: RawAnswer, statuses: readonly number[]): Verdict {
  const verdict = judgeStatus(answer, statuses);
  if (verdict.outcome !== "pass" || typeof readObject(answer)?.["error"] === "string") {
    return verdict;
  }
  return fail('{"error": "…"}', describeAnswer(answer));
}

function readVersions(answer: RawAnswer): JsonObject[] {
  const rows = answer.status === 200 ? readObject(answer)?.["model_version_status"] : undefined;
  return Array.isArray(rows) ? rows.filter(isObject) : [];
}

function judgeVersions(answer: RawAnswer, version: string): Verdict {
  const rows = readVersions(answer);
  const isRight = rows.every(({ version: one, state, status }) => {
    const isState = typeof state === "string" && STATES.includes(state);
    return typeof one === "string" && isState && isObject(status) && status["error_code"] === "OK";
  });
  const isThere = rows.some((row) => row["version"] === version);
  return isRight && isThere
    ? pass()
    : fail(
        `version "${version}" (a text), state, status {"error_code": "OK"}`,
        describeAnswer(answer),
      );
}

function findMetadataProblem(metadata: JsonObject): string | undefined {
  const signatures = readSignatures(metadata);
  if (signatures === undefined) return "no metadata.signature_def.signature_def";
  for (const [name, signature] of Object.entries(signatures)) {
    if (!isObject(signature) || typeof signature["method_name"] !== "string") {
      return `signature ${name} has no method_name`;
    }
    const tensors = [signature["inputs"], signature["outputs"]].flatMap((map) =>
      isObject(map) ? Object.entries(map) : [],
    );
    const wrong = tensors.find(([, tensor]) => !isTensorInfo(tensor));
    if (wrong !== undefined) return `${name}.${wrong[0]}: ${JSON.stringify(wrong[1])}`;
  }
  return undefined;
}

function isTensorInfo(tensor: unknown): boolean {
  if (!isObject(tensor) || typeof tensor["name"] !== "string") return false;
  const { dtype, tensor_shape: shape } = tensor;
  if (typeof dtype !== "string" || !dtype.startsWith("DT_") || !isObject(shape)) return false;
  const dim = shape["dim"] ?? [];
  return (
    Array.isArray(dim) &&
    dim.every(
      (one) =>
        isObject(one) && /^-?\d+$/.test(String(one["size"])) && typeof one["size"] === "string",
    )
  );
}

function describe(
  id: string,
  title: string,
  run: (server: TensorFlowServer) => Promise<Verdict>,
): ConformanceCase<TensorFlowServer> {
  return { id, title, source: SOURCE, level: "required", run };
}

/** The original knows its addresses by one pattern, and answers everything else alike. */
function malformed(
  id: string,
  what: string,
  toRequest: (modelPath: string) => readonly [string, string],
): ConformanceCase<TensorFlowServer> {
  return describe(`path/${id}`, `${what} is 400, Malformed request`, async (server) => {
    const [method, path] = toRequest(toModelPath(server));
    const answer = await server.send({ method, path });
    const error = readObject(answer)?.["error"];
    if (answer.status !== 400) return fail("status 400", describeAnswer(answer));
    return String(error).startsWith("Malformed request: ")
      ? pass()
      : fail(`"Malformed request: ${method} ${path}"`, describeAnswer(answer));
  });
}
