import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The golden files of a folder below `test/golden/`, by name. What they hold is what their test expects them to. */
export function readGoldenFiles<Content>(folder: string): readonly [string, Content][] {
  const directory = fileURLToPath(new URL(`../golden/${folder}/`, import.meta.url));
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => [
      name.replace(/\.json$/, ""),
      JSON.parse(readFileSync(`${directory}${name}`, "utf8")) as Content,
    ]);
}
