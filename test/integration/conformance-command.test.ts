import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createConformanceCommand } from "../../src/cli/conformance.ts";
import type { OpenInferenceFault } from "../support/scripted-open-inference.ts";
import { createScriptedOpenInference } from "../support/scripted-open-inference.ts";

let folder = "";
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function listen(fault?: OpenInferenceFault): Promise<string> {
  const started = createServer(createScriptedOpenInference(fault));
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

async function run(...words: readonly string[]): Promise<string> {
  let written = "";
  const command = createConformanceCommand((text) => {
    written += text;
  });
  await command.parseAsync(["--protocol", "open-inference", ...words], { from: "user" });
  return written;
}

test("a server that keeps what is required gets 0, a line per case and counts by level", async () => {
  const page = await run(await listen(), "--model", "scale");
  expect(page).toMatch(/^open-inference at http:\/\/127\.0\.0\.1:\d+\/, model scale\n/);
  expect(page).toMatch(/^✓ infer\/flat-data +data may be flat$/m);
  expect(page).toMatch(/^– triton\/statistics .*\(extension\)\n +not there: statistics is not/m);
  expect(page).toMatch(/^required +✓ \d+ {2}✗ 0 {2}– 0 {2}· 1$/m);
  expect(process.exitCode).toBe(0);
});

test("a broken promise gets 1, with what was expected, what was found and who says so", async () => {
  const page = await run(await listen("loses ids"), "--model", "scale", "--only", "infer/*");
  expect(page).toMatch(
    /^✗ infer\/id .*\n +expected: id question-1\n +found: +no id\n +source: +Open Inference/m,
  );
  expect(page).not.toContain("health/live");
  expect(process.exitCode).toBe(1);
});

test("--json writes the same cases for programs", async () => {
  const file = join(folder, "report.json");
  await run(await listen("loses ids"), "--model", "scale", "--json", file);
  const report = JSON.parse(readFileSync(file, "utf8"));
  expect(report).toMatchObject({ protocol: "open-inference", model: "scale" });
  expect(report.cases).toContainEqual(
    expect.objectContaining({
      id: "infer/id",
      level: "required",
      verdict: { outcome: "fail", expected: "id question-1", found: "no id" },
    }),
  );
  expect(report.summary.required.fail).toBe(1);
});

test.each([
  ["no such model", ["--model", "missing"], "no metadata"],
  ["no case of that name", ["--model", "scale", "--only", "nonsense"], "leave out --only"],
])("%s gets 2 and a reason", async (_, words, reason) => {
  const complain = vi.spyOn(console, "error").mockReturnValue();
  expect(await run(await listen(), ...words)).toBe("");
  expect(complain.mock.calls.flat().join()).toContain(reason);
  expect(process.exitCode).toBe(2);
});

test("a port where nobody listens gets 2", async () => {
  const complain = vi.spyOn(console, "error").mockReturnValue();
  const url = await listen();
  await new Promise((resolve) => server?.close(resolve));
  await run(url, "--model", "scale");
  expect(complain.mock.calls.flat().join()).toContain("ECONNREFUSED");
  expect(process.exitCode).toBe(2);
});
