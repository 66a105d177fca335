import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTrainCommand } from "./train.ts";

let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-train-"));
  data = join(root, "texts.csv");
  const rows = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? `fine weather number ${i},good` : `awful service number ${i},bad`,
  );
  await writeFile(data, ["text,label", ...rows].join("\n"));
});
afterAll(() => rm(root, { recursive: true }));

async function train(file: string, ...flags: readonly string[]): Promise<string> {
  let printed = "";
  const command = createTrainCommand((text) => {
    printed += text;
  });
  const fast = ["--epochs", "1", "--members", "1", "--threads", "1", "--buckets", "1024"];
  await command.parseAsync([file, ...fast, ...flags], { from: "user" });
  return printed;
}

test("every name that a model may have can be trained", async () => {
  const output = join(root, "My_Model.v2", "1.10.0");
  expect(await train(data, "--output", output)).toContain(`Wrote ${output}`);
  const manifest: unknown = JSON.parse(await readFile(join(output, "manifest.json"), "utf8"));
  expect(manifest).toMatchObject({ name: "My_Model.v2", version: "1.10.0" });
});

test.each([
  ["a name with a blank", "my model", "1.0.0"],
  ["a name with a dot first", ".hidden", "1.0.0"],
  ["a version of two numbers", "stars", "1.0"],
  ["a version with leading zeros", "stars", "01.0.0"],
])("%s is refused before any text is read", async (_what, name, version) => {
  const flags = ["--output", join(root, "refused"), "--name", name, "--version", version];
  await expect(train(join(root, "nowhere.csv"), ...flags)).rejects.toMatchObject({
    code: "invalid_argument",
    message:
      `Cannot call a model "${name}", version "${version}". Use an --output like ` +
      "models/my-model/1.0.0, or say --name and --version.",
  });
});
