import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

/** Data sets that are not part of the repository: beside it, or where SLUICE_TEST_DATA says. */
const ROOT =
  process.env["SLUICE_TEST_DATA"] ??
  fileURLToPath(new URL("../../../shared/data", import.meta.url));

export function dataPath(name: string): string {
  return `${ROOT}/${name}`;
}

export function readData(name: string): string {
  return readFileSync(dataPath(name), "utf8");
}

/** A suite that needs a data set; skipped by name where it is missing. */
export function describeWithData(title: string, files: readonly string[], suite: () => void): void {
  const missing = files.filter((file) => !existsSync(dataPath(file)));
  const reason = missing.length === 0 ? "" : ` [skipped: no data set ${missing.join(", ")}]`;
  describe.skipIf(missing.length > 0)(`${title}${reason}`, suite);
}
