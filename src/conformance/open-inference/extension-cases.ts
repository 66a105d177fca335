import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped, unsupported } from "../case.ts";
import {
  describeAnswer,
  isAbsence,
  isObject,
  judgeProblem,
  readJson,
  readObject,
} from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import { readInferAnswer } from "./infer-answer.ts";
import type { OpenInferenceServer } from "./server.ts";
import { infer, makeSamples, toInferRequest } from "./server.ts";

/** Enough texts that a server with a least size for compression has reason to compress. */
const MANY_ROWS = 64;

/** Compression, and what Triton has beyond the protocol. */
export const EXTENSION_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  compressed("gzip-in", "gzip", gzipSync),
  compressed("deflate-in", "deflate", deflateSync),
  {
    id: "encoding/gzip-out",
    title: "an answer comes in gzip to those who accept it",
    source: "Triton: Accept-Encoding",
    level: "extension",
    async run(server) {
      const request = toInferRequest(makeSamples(server, MANY_ROWS));
      const answer = await infer(server, request, { "Accept-Encoding": "gzip" });
      if (answer.headers["content-encoding"] !== "gzip") {
        const problem = readInferAnswer(answer).problem;
        return problem === undefined
          ? unsupported("the answer is not compressed, as HTTP allows")
          : fail("an answer with outputs", problem);
      }
      const body = unzip(answer.body);
      if (body === undefined) return fail("gzip, as Content-Encoding says", "something else");
      return judgeProblem("an answer with outputs", readInferAnswer({ ...answer, body }).problem);
    },
  },
  {
    id: "triton/classification",
    title: "classification makes texts of the best classes",
    source: "Triton: classification extension",
    level: "extension",
    async run(server) {
      const wanted = server.outputs.find(
        ({ datatype, shape }) => datatype.startsWith("FP") && shape.length === 2,
      );
      if (wanted === undefined) return skipped("no output of floats with two dimensions");
      const outputs = [{ name: wanted.name, parameters: { classification: 1 } }];
      const raw = await infer(server, toInferRequest(makeSamples(server), { outputs }));
      const answer = readInferAnswer(raw);
      if (answer.problem !== undefined) {
        return judgeAbsence(server, "classification", raw);
      }
      const [output] = answer.outputs;
      if (output?.datatype !== "BYTES" && !server.extensions.has("classification")) {
        return unsupported("classification is not listed, and the parameter is ignored");
      }
      const isRight =
        output?.datatype === "BYTES" &&
        output.shape.at(-1) === 1 &&
        (output.data ?? []).every((one) => /^-?[\d.e+-]+:\d+(:.*)?$/s.test(String(one)));
      return isRight
        ? pass()
        : fail(
            "BYTES of value:index[:label]",
            `${output?.datatype} ${JSON.stringify(output?.data)}`,
          );
    },
  },
  withParameters("triton/priority", "a priority is taken", { priority: 1 }),
  withParameters("triton/timeout", "a timeout in microseconds is taken", { timeout: 10_000_000 }),
  {
    id: "triton/repository-index",
    title: "the repository's index lists the model",
    source: "Triton: model repository extension",
    level: "extension",
    async run(server) {
      const answer = await server.send({
        method: "POST",
        path: "/v2/repository/index",
        headers: { "Content-Type": "application/json" },
        body: "{}",
      });
      const index = readJson(answer);
      if (answer.status !== 200) return judgeAbsence(server, "model_repository", answer);
      const isThere =
        Array.isArray(index) && index.some((row) => isObject(row) && row["name"] === server.model);
      return isThere ? pass() : fail(`a list with ${server.model}`, describeAnswer(answer));
    },
  },
  {
    id: "triton/statistics",
    title: "statistics have counts and nanoseconds",
    source: "Triton: statistics extension",
    level: "extension",
    async run(server) {
      const answer = await server.send({ method: "GET", path: `${server.modelPath}/stats` });
      if (answer.status !== 200) return judgeAbsence(server, "statistics", answer);
      const rows = readObject(answer)?.["model_stats"];
      const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
      const stats = isObject(row) ? row["inference_stats"] : undefined;
      const success = isObject(stats) ? stats["success"] : undefined;
      const isRight =
        isObject(success) && [success["count"], success["ns"]].every(Number.isInteger);
      return isRight
        ? pass()
        : fail("model_stats[0].inference_stats.success {count, ns}", describeAnswer(answer));
    },
  },
  {
    id: "triton/config",
    title: "the configuration names the model, its inputs and outputs",
    source: "Triton: model configuration extension",
    level: "extension",
    async run(server) {
      const answer = await server.send({ method: "GET", path: `${server.modelPath}/config` });
      if (answer.status !== 200) return judgeAbsence(server, "model_configuration", answer);
      const config = readObject(answer);
      const isRight = config?.["name"] === server.model && Array.isArray(config["input"]);
      return isRight ? pass() : fail(`name ${server.model}, input`, describeAnswer(answer));
    },
  },
];

const MAX_PLAIN_BYTES = 16 * 1024 * 1024;

function unzip(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_PLAIN_BYTES });
  } catch {
    return undefined;
  }
}

/** A part that is refused is broken when the server lists it or breaks down, and not there otherwise. */
export function judgeAbsence(
  server: OpenInferenceServer,
  name: string,
  answer: RawAnswer,
): Verdict {
  if (server.extensions.has(name)) {
    return fail(`what the listed extension ${name} promises`, describeAnswer(answer));
  }
  return !isAbsence(answer)
    ? fail("an answer, or a refusal", describeAnswer(answer))
    : unsupported(`${name} is not listed, and gets ${describeAnswer(answer)}`);
}

function compressed(
  id: string,
  encoding: string,
  compress: (body: string) => Uint8Array,
): ConformanceCase<OpenInferenceServer> {
  return {
    id: `encoding/${id}`,
    title: `a request may come in ${encoding}`,
    source: "Triton: Content-Encoding",
    level: "extension",
    async run(server) {
      const answer = await server.send({
        method: "POST",
        path: `${server.modelPath}/infer`,
        headers: { "Content-Type": "application/json", "Content-Encoding": encoding },
        body: compress(JSON.stringify(toInferRequest(makeSamples(server)))),
      });
      const problem = readInferAnswer(answer).problem;
      if (problem === undefined) return pass();
      return answer.status >= 400 && answer.status < 500
        ? unsupported(describeAnswer(answer))
        : fail("an answer with outputs, or a refusal", problem);
    },
  };
}

function withParameters(
  id: string,
  title: string,
  parameters: Readonly<Record<string, number>>,
): ConformanceCase<OpenInferenceServer> {
  return {
    id,
    title,
    source: "Triton: schedule policy extension",
    level: "extension",
    async run(server) {
      const samples = makeSamples(server);
      const answer = readInferAnswer(await infer(server, toInferRequest(samples, { parameters })));
      const isListed = server.extensions.has("schedule_policy");
      // A server that ignores what it does not know answers like one that obeys.
      const note = isListed ? undefined : "whether it is obeyed cannot be seen from outside";
      return judgeProblem("an answer with outputs", answer.problem, note);
    },
  };
}
