import type { ConformanceCase } from "../case.ts";
import { fail, pass, skipped } from "../case.ts";
import { judgeProblem } from "../judge.ts";
import { findDifference, readInferAnswer } from "./infer-answer.ts";
import { nestData } from "./sample-inputs.ts";
import type { OpenInferenceServer } from "./server.ts";
import { findOpenInferenceServer, infer, makeSamples, toInferRequest } from "./server.ts";

const SPEC = "Open Inference Protocol, REST: Inference";

/** Questions in JSON that a server has to answer. */
export const INFER_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  {
    id: "infer/flat-data",
    title: "data may be flat",
    source: `${SPEC}: tensor data`,
    level: "required",
    async run(server) {
      const answer = readInferAnswer(await infer(server, toInferRequest(makeSamples(server))));
      if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
      const named = answer.json["model_name"];
      return named === server.model ? pass() : fail(`model_name ${server.model}`, String(named));
    },
  },
  {
    id: "infer/nested-data",
    title: "data may be nested as the shape says, with the same answer",
    source: `${SPEC}: tensor data`,
    level: "required",
    async run(server) {
      const samples = makeSamples(server);
      const isFlat = samples.every(({ shape }) => shape.length < 2);
      if (isFlat) return skipped("every input has one dimension, where nested and flat are one");
      const flat = readInferAnswer(await infer(server, toInferRequest(samples)));
      const inputs = samples.map((sample) => ({
        ...sample,
        data: nestData(sample.data, sample.shape),
      }));
      const nested = readInferAnswer(await infer(server, { inputs }));
      if (nested.problem !== undefined) return fail("an answer with outputs", nested.problem);
      if (flat.problem !== undefined) return fail("an answer to flat data", flat.problem);
      return judgeProblem("the same outputs", findDifference(flat.outputs, nested.outputs));
    },
  },
  {
    id: "infer/declared-outputs",
    title: "outputs have the names and datatypes of the metadata",
    source: "Open Inference Protocol, REST: Model metadata",
    level: "required",
    async run(server) {
      const answer = readInferAnswer(await infer(server, toInferRequest(makeSamples(server))));
      if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
      const stray = answer.outputs.find(
        ({ name, datatype }) =>
          !server.outputs.some((one) => one.name === name && one.datatype === datatype),
      );
      return judgeProblem(
        "only outputs of the metadata",
        stray && `${stray.name} ${stray.datatype}`,
      );
    },
  },
  {
    id: "infer/version-path",
    title: "a version can be asked by its address, and the answer names it",
    source: `${SPEC}: /versions/<version>/infer`,
    level: "required",
    async run(server) {
      const version = server.versions[0];
      if (version === undefined) return skipped("the metadata lists no versions");
      // Versions may differ in their inputs.
      const own = await findOpenInferenceServer(server.send, server.model, version);
      const answer = readInferAnswer(await infer(own, toInferRequest(makeSamples(own))));
      if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
      const found = answer.json["model_version"];
      if (found === undefined) return pass("model_version is left out");
      return found === version ? pass() : fail(`model_version ${version}`, JSON.stringify(found));
    },
  },
  {
    id: "infer/id",
    title: "the request's id comes back",
    source: `${SPEC}: id`,
    level: "required",
    async run(server) {
      const answer = readInferAnswer(
        await infer(server, toInferRequest(makeSamples(server), { id: "question-1" })),
      );
      if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
      const found = answer.json["id"];
      return found === "question-1"
        ? pass()
        : fail("id question-1", JSON.stringify(found) ?? "no id");
    },
  },
  {
    id: "infer/some-outputs",
    title: "only the outputs that were asked for come back",
    source: `${SPEC}: outputs`,
    level: "required",
    async run(server) {
      const wanted = server.outputs.at(-1);
      if (wanted === undefined) return skipped("the metadata lists no outputs");
      const answer = readInferAnswer(
        await infer(
          server,
          toInferRequest(makeSamples(server), { outputs: [{ name: wanted.name }] }),
        ),
      );
      if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
      const names = answer.outputs.map(({ name }) => name).join(", ");
      return names === wanted.name ? pass() : fail(`only ${wanted.name}`, names);
    },
  },
  {
    id: "infer/unknown-parameter",
    title: "a parameter that nobody knows does no harm",
    source: "Open Inference Protocol: parameters are hints that a server may ignore",
    level: "recommended",
    async run(server) {
      const parameters = { colour: "green", size: 3, is_new: true };
      const answer = readInferAnswer(
        await infer(server, toInferRequest(makeSamples(server), { parameters })),
      );
      return judgeProblem("an answer with outputs", answer.problem);
    },
  },
  {
    id: "infer/null-members",
    title: "optional members may be null",
    source: "KServe's Python client writes null for what is not set",
    level: "recommended",
    async run(server) {
      const nothing = { id: null, parameters: null, outputs: null };
      const answer = readInferAnswer(
        await infer(server, toInferRequest(makeSamples(server), nothing)),
      );
      return judgeProblem("an answer with outputs", answer.problem);
    },
  },
  {
    id: "infer/without-content-type",
    title: "no Content-Type is needed",
    source: "the protocol names none; Triton and tritonclient work without",
    level: "recommended",
    async run(server) {
      const answer = await server.send({
        method: "POST",
        path: `${server.modelPath}/infer`,
        body: JSON.stringify(toInferRequest(makeSamples(server))),
      });
      return judgeProblem("an answer with outputs", readInferAnswer(answer).problem);
    },
  },
];
