import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped } from "../case.ts";
import { describeAnswer } from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import { judgeAbsence } from "./extension-cases.ts";
import type { InferAnswer, OutputTensor } from "./infer-answer.ts";
import { findDifference, readInferAnswer } from "./infer-answer.ts";
import type { OpenInferenceServer } from "./server.ts";
import { infer, makeSamples, toInferRequest } from "./server.ts";

/** Triton answers `unload` before the model is gone, and others may load in the background. */
const SETTLE_TRIES = 20;
const SETTLE_PAUSE_MS = 250;

/** What changes the server for everybody else too; asked only where that is allowed. */
export const REPOSITORY_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  {
    id: "triton/unload-load",
    title: "a model can be unloaded and loaded again, and answers as before",
    source: "Triton: model repository extension",
    level: "extension",
    async run(server) {
      if (!server.allowsChanges) return skipped("it takes the model away; see --allow-changes");
      const before = await ask(server);
      if (before.problem !== undefined) return fail("an answer before unload", before.problem);
      const unloaded = await change(server, "unload");
      if (unloaded.status !== 200) return judgeAbsence(server, "model_repository", unloaded);
      return judgeReturn(server, before.outputs);
    },
  },
];

/** The model is loaded again whatever is found, so that nobody is left without it. */
async function judgeReturn(
  server: OpenInferenceServer,
  before: readonly OutputTensor[],
): Promise<Verdict> {
  let isGone: boolean;
  let loaded: RawAnswer;
  try {
    isGone = await settles(server, (status) => status !== 200);
  } finally {
    loaded = await change(server, "load");
  }
  if (loaded.status !== 200) return fail("the model loaded again", describeAnswer(loaded));
  if (!(await settles(server, (status) => status === 200))) {
    return fail("the model ready again after load", "still not ready");
  }
  if (!isGone) return fail("a model that is not ready after unload", "still ready");
  const after = await ask(server);
  const difference = after.problem ?? findDifference(before, after.outputs);
  return difference === undefined ? pass() : fail("the same answer after load", difference);
}

async function ask(server: OpenInferenceServer): Promise<InferAnswer> {
  return readInferAnswer(await infer(server, toInferRequest(makeSamples(server))));
}

function change(server: OpenInferenceServer, verb: "load" | "unload"): Promise<RawAnswer> {
  return server.send({
    method: "POST",
    path: `/v2/repository/models/${encodeURIComponent(server.model)}/${verb}`,
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
}

async function settles(
  { send, modelPath }: OpenInferenceServer,
  isSettled: (status: number) => boolean,
): Promise<boolean> {
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    if (isSettled((await send({ method: "GET", path: `${modelPath}/ready` })).status)) return true;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
  }
  return false;
}
