import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createConformanceCommand } from "../../src/cli/conformance.ts";
import { PROTOCOLS } from "../../src/conformance/judge-server.ts";
import { createSend } from "../../src/conformance/raw-http.ts";
import { createScriptedOpenInference } from "../support/scripted-open-inference.ts";

/** Servers that send what no server should: the tool must outlive them and still tell what it saw. */

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function listen(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** The scripted server, but some addresses answer with what is given here. */
function withAnswers(
  answers: Readonly<Record<string, readonly [number, string]>>,
): RequestListener {
  const right = createScriptedOpenInference();
  return (request, response) => {
    const answer = answers[`${request.method} ${request.url}`];
    if (answer === undefined) {
      right(request, response);
      return;
    }
    request.resume();
    response.writeHead(answer[0], { "Content-Type": "application/json" }).end(answer[1]);
  };
}

async function judge(protocol: string, listener: RequestListener, model?: string) {
  const url = new URL(await listen(listener));
  const send = createSend({ url, timeoutMs: 2000, maxAnswerBytes: 4_000_000 });
  return PROTOCOLS[protocol]?.({ send, ...(model === undefined ? {} : { model }) });
}

async function run(...words: readonly string[]): Promise<{ page: string; complaint: string }> {
  let page = "";
  const complain = vi.spyOn(console, "error").mockReturnValue();
  const command = createConformanceCommand((text) => {
    page += text;
  });
  await command.parseAsync(["--protocol", "open-inference", ...words], { from: "user" });
  return { page, complaint: complain.mock.calls.flat().join() };
}

const DEEP = `${"[".repeat(200_000)}1${"]".repeat(200_000)}`;

test.each([
  ["data", `"shape":[1],"data":${DEEP}`],
  ["shape", `"shape":${DEEP},"data":[1]`],
])("an answer whose %s is nested 200,000 deep fails a case and no more", async (_, members) => {
  const body = `{"model_name":"scale","outputs":[{"name":"twice","datatype":"FP32",${members}}]}`;
  const listener = withAnswers({ "POST /v2/models/scale/infer": [200, body] });
  const cases = (await judge("open-inference", listener, "scale"))?.cases ?? [];
  expect(cases.find(({ id }) => id === "infer/flat-data")?.verdict.outcome).toBe("fail");
  expect(cases.find(({ id }) => id === "health/live")?.verdict.outcome).toBe("pass");
});

test("TensorFlow metadata with enormous sizes is given up before rows are made", async () => {
  const dim = [{ size: "-1" }, { size: "9000000000" }];
  const serving_default = { inputs: { x: { dtype: "DT_FLOAT", tensor_shape: { dim } } } };
  const metadata = { signature_def: { signature_def: { serving_default } } };
  const listener: RequestListener = (_, response) => response.end(JSON.stringify({ metadata }));
  await expect(judge("tensorflow-serving", listener, "m")).rejects.toMatchObject({
    code: "too_large",
  });
});

test("control and direction characters of a server never reach the terminal", async () => {
  const name = "\u001b]0;owned\u0007\u009b31m\u202e";
  const path = `/v2/models/${encodeURIComponent(name)}`;
  const listener = withAnswers({
    "POST /v2/repository/index": [200, JSON.stringify([{ name, state: "READY" }])],
    [`GET ${path}`]: [200, '{"inputs":[],"outputs":[]}'],
    "GET /v2/health/live": [500, JSON.stringify(name)],
  });
  const { page } = await run(await listen(listener), "--only", "health");
  expect(page).toContain("owned");
  expect(page).not.toMatch(/[^\P{C}\n]/u);
});

test("a model is found in KServe's list where there is no index", async () => {
  const listener = withAnswers({ "GET /v2/models": [200, '{"models":["scale"]}'] });
  expect((await judge("open-inference", listener))?.model).toBe("scale");
});

test.each([
  [500, "fail"],
  [501, "unsupported"],
  [404, "unsupported"],
])("an unlisted extension that gets %i is judged %s", async (status, outcome) => {
  const listener = withAnswers({ "GET /v2/models/scale/stats": [status, '{"error":"no"}'] });
  const cases = (await judge("open-inference", listener, "scale"))?.cases ?? [];
  expect(cases.find(({ id }) => id === "triton/statistics")?.verdict.outcome).toBe(outcome);
});

test("a server whose infer breaks down has no binary extension that is merely missing", async () => {
  const listener = withAnswers({ "POST /v2/models/scale/infer": [500, '{"error":"bug"}'] });
  const cases = (await judge("open-inference", listener, "scale"))?.cases ?? [];
  expect(cases.find(({ id }) => id === "binary/inputs")?.verdict.outcome).toBe("fail");
});

test("a server that says 501 to versions has no versions, which is no broken promise", async () => {
  const path = "GET /v2/models/scale/versions/987654321";
  const listener = withAnswers({ [path]: [501, '{"error":"no versions here"}'] });
  const cases = (await judge("open-inference", listener, "scale"))?.cases ?? [];
  const one = cases.find(({ id }) => id === "address/unknown-version");
  expect(one?.verdict.outcome).toBe("unsupported");
});

test("a report that cannot be written gets 2, not the 1 of a broken promise", async () => {
  const url = await listen(createScriptedOpenInference());
  const { complaint } = await run(url, "--model", "scale", "--json", "/dev/null/report.json");
  expect(complaint).toContain("could not be written");
  expect(process.exitCode).toBe(2);
});

test("a password in the address is refused and shown nowhere", async () => {
  const url = (await listen(createScriptedOpenInference())).replace("//", "//me:secret@");
  const { page, complaint } = await run(url, "--model", "scale");
  expect(complaint).toContain("--key");
  expect(page + complaint).not.toContain("secret");
  expect(process.exitCode).toBe(2);
});

test("a key that no header can hold gets 2", async () => {
  const { complaint } = await run(await listen(createScriptedOpenInference()), "--key", "a\nb");
  expect(complaint).toContain("--key");
  expect(process.exitCode).toBe(2);
});

/** A repository with one model beside the scripted server; `breaks` is the call that gets 200 and does nothing. */
function withRepository(calls: string[], breaks?: string): RequestListener {
  const right = createScriptedOpenInference();
  let isLoaded = true;
  return (request, response) => {
    const verb = /^\/v2\/repository\/models\/scale\/(load|unload)$/.exec(request.url ?? "")?.[1];
    if (verb !== undefined) {
      calls.push(verb);
      if (verb !== breaks) isLoaded = verb === "load";
      request.resume();
      response.end();
    } else if (!isLoaded && request.url?.endsWith("/ready")) {
      response.writeHead(503).end();
    } else {
      right(request, response);
    }
  };
}

async function judgeRepository(listener: RequestListener, allowChanges: boolean) {
  const send = createSend({
    url: new URL(await listen(listener)),
    timeoutMs: 2000,
    maxAnswerBytes: 1e6,
  });
  const only = "triton/unload-load";
  const judged = await PROTOCOLS["open-inference"]?.({ send, model: "scale", only, allowChanges });
  return judged?.cases[0]?.verdict;
}

test("nothing is unloaded without --allow-changes", async () => {
  const calls: string[] = [];
  const verdict = await judgeRepository(withRepository(calls), false);
  expect(verdict).toMatchObject({ outcome: "skipped" });
  expect(calls).toEqual([]);
});

test("with --allow-changes the model is taken away and brought back", async () => {
  const calls: string[] = [];
  expect(await judgeRepository(withRepository(calls), true)).toEqual({ outcome: "pass" });
  expect(calls).toEqual(["unload", "load"]);
});

test.each([
  ["unload", "still ready"],
  ["load", "still not ready"],
])(
  "a server whose %s does nothing fails, after an attempt to load again",
  async (breaks, found) => {
    const calls: string[] = [];
    const verdict = await judgeRepository(withRepository(calls, breaks), true);
    expect(verdict).toMatchObject({ outcome: "fail", found });
    expect(calls).toEqual(["unload", "load"]);
  },
  20_000,
);
