import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Path of an installed program, or undefined.
 *
 * @param override name of an environment variable that may name the program elsewhere
 */
export function findProgram(name: string, override?: string): string | undefined {
  const named = override === undefined ? undefined : process.env[override];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
