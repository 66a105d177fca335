import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped, unsupported } from "../case.ts";
import { describeAnswer, isTexts, judgeRefusal, judgeStatus, readObject } from "../judge.ts";
import type { OpenInferenceServer } from "./server.ts";
import { infer, isShape } from "./server.ts";

const SPEC = "Open Inference Protocol, REST";

/** Health, metadata and addresses. */
export const DESCRIBE_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  {
    id: "health/live",
    title: "the server says that it lives",
    source: `${SPEC}: Health; KServe's client reads the member live`,
    level: "required",
    run: (server) => judgeHealth(server, "/v2/health/live", ["live"]),
  },
  {
    id: "health/ready",
    title: "the server says that it is ready",
    source: `${SPEC}: Health; the text writes live here, KServe's client reads ready`,
    level: "required",
    run: (server) => judgeHealth(server, "/v2/health/ready", ["ready", "live"]),
  },
  {
    id: "health/model-ready",
    title: "a model says that it is ready",
    source: `${SPEC}: Model ready`,
    level: "required",
    run: (server) => judgeHealth(server, `${server.modelPath}/ready`, ["ready"]),
  },
  {
    id: "metadata/server",
    title: "the server tells its name, version and extensions",
    source: `${SPEC}: Server metadata`,
    level: "required",
    async run({ send }) {
      const answer = await send({ method: "GET", path: "/v2" });
      const found = answer.status === 200 ? readObject(answer) : undefined;
      const isRight =
        typeof found?.["name"] === "string" &&
        typeof found["version"] === "string" &&
        isTexts(found["extensions"]);
      return isRight
        ? pass()
        : fail("name, version (texts) and extensions (a list)", describeAnswer(answer));
    },
  },
  {
    id: "metadata/server-slash",
    title: "the same at /v2/",
    source: "the protocol's OpenAPI file writes the address with a slash",
    level: "recommended",
    run: async ({ send }) => judgeStatus(await send({ method: "GET", path: "/v2/" }), [200]),
  },
  {
    id: "metadata/model",
    title: "a model tells its name, platform, inputs and outputs",
    source: `${SPEC}: Model metadata`,
    level: "required",
    async run({ send, model, modelPath }) {
      const answer = await send({ method: "GET", path: modelPath });
      const found = answer.status === 200 ? readObject(answer) : undefined;
      if (found?.["name"] !== model) return fail(`name ${model}`, describeAnswer(answer));
      if (typeof found["platform"] !== "string")
        return fail("platform, a text", describeAnswer(answer));
      const tensors = [found["inputs"], found["outputs"]].flatMap((list) =>
        Array.isArray(list) && list.length > 0 ? list : [undefined],
      );
      return tensors.every((one) => isShape(one?.shape))
        ? pass()
        : fail("inputs and outputs with name, datatype, shape", describeAnswer(answer));
    },
  },
  {
    id: "metadata/version-path",
    title: "a listed version has an address of its own",
    source: `${SPEC}: /versions/<version>`,
    level: "required",
    async run({ send, model, versions }) {
      const [version] = versions;
      if (version === undefined) return skipped("the metadata lists no versions");
      const path = `/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;
      return judgeStatus(await send({ method: "GET", path }), [200]);
    },
  },
  {
    id: "address/unknown-model",
    title: "a model that is not there is refused",
    source: `${SPEC}: errors; Triton and KServe use 404`,
    level: "required",
    run: async ({ send }) =>
      judgeRefusal(await send({ method: "GET", path: "/v2/models/no-such-model-4711" }), [404]),
  },
  {
    id: "address/unknown-version",
    title: "a version that is not there is refused",
    source: `${SPEC}: errors; Triton and KServe use 404`,
    level: "required",
    async run({ send, model }) {
      const path = `/v2/models/${encodeURIComponent(model)}/versions/987654321`;
      const answer = await send({ method: "GET", path });
      // Versions are optional, and KServe's server has none.
      return answer.status === 501
        ? unsupported(describeAnswer(answer))
        : judgeRefusal(answer, [404]);
    },
  },
  {
    id: "address/wrong-verb",
    title: "GET of infer is refused",
    source: "HTTP semantics; Triton answers 405",
    level: "recommended",
    run: async ({ send, modelPath }) =>
      judgeRefusal(await send({ method: "GET", path: `${modelPath}/infer` }), [405]),
  },
  {
    id: "address/unknown-path",
    title: "an address that is not there is 404",
    source: "HTTP semantics; Triton answers 404",
    level: "recommended",
    run: async ({ send }) =>
      judgeRefusal(await send({ method: "GET", path: "/v2/no-such-thing" }), [404]),
  },
  {
    id: "errors/error-member",
    title: "an error says what is wrong in the member error",
    source: `${SPEC}: inference response error; tritonclient reads it`,
    level: "required",
    async run(server) {
      const answers = [
        await infer(server, "{"),
        await infer(server, { inputs: [] }),
        await server.send({ method: "GET", path: "/v2/models/no-such-model-4711" }),
      ];
      const wrong = answers.find((answer) => typeof readObject(answer)?.["error"] !== "string");
      return wrong === undefined ? pass() : fail('{"error": "…"}, a text', describeAnswer(wrong));
    },
  },
];

/** 200, and a body that is empty, as Triton's, or says true. */
async function judgeHealth(
  { send }: OpenInferenceServer,
  path: string,
  members: readonly string[],
): Promise<Verdict> {
  const answer = await send({ method: "GET", path });
  if (answer.status !== 200) return fail("status 200", describeAnswer(answer));
  if (answer.body.length === 0) return pass("an empty body, as Triton's");
  const found = readObject(answer);
  const member = members.find((name) => found?.[name] === true);
  if (member === undefined) {
    return fail(`an empty body, or ${members.join(" or ")}: true`, describeAnswer(answer));
  }
  return member === members[0] ? pass() : pass(`the member is ${member}`);
}
