import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PeerKind } from "./peer-kinds.ts";

/** A Python environment with what one peer needs. */
export interface PeerEnvironment {
  /** Folder of its programs. */
  readonly bin: string;
  /** Installed versions of the packages that the report names, and of ONNX Runtime. */
  readonly versions: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const PYTHONS = ["python3.11", "python3.12", "python3.13", "python3"] as const;
const INSTALL_TIMEOUT_MS = 1_800_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** Left behind by a complete installation. */
const MARKER = "installed";

/**
 * Makes the environment below `directory`, or finds it there from an earlier run with the same requirements. Each peer has
 * its own: they do not agree about the versions of what they share.
 *
 * @throws Error with the reason when it cannot be made, such as no Python or no network
 */
export async function preparePeerEnvironment(
  { name, packages }: PeerKind,
  directory: string,
): Promise<PeerEnvironment> {
  const requirements = new URL(`requirements/${name}.txt`, import.meta.url).pathname;
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex");
  const folder = join(directory, `${name}-${digest.slice(0, 12)}`);
  const bin = join(folder, "bin");
  if (!existsSync(join(folder, MARKER))) {
    await rm(folder, { recursive: true, force: true });
    await runOrExplain(await findPython(), ["-m", "venv", folder]);
    const words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await runOrExplain(join(bin, "python"), [...words, "-r", requirements]);
    await writeFile(join(folder, MARKER), digest);
  }
  return { bin, versions: await readVersions(bin, [...packages, "onnxruntime"]) };
}

async function findPython(): Promise<string> {
  for (const python of PYTHONS) {
    const program = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
    const works = await run(python, ["-c", program]).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  throw new Error("no Python from 3.11 with venv is installed");
}

async function readVersions(
  bin: string,
  packages: readonly string[],
): Promise<Record<string, string>> {
  const program =
    "import sys, importlib.metadata as m; print('\\n'.join(m.version(name) for name in sys.argv[1:]))";
  const { stdout } = await runOrExplain(join(bin, "python"), ["-c", program, ...packages]);
  const versions = stdout.trim().split("\n");
  return Object.fromEntries(packages.map((name, i) => [name, versions[i] ?? "unknown"]));
}

async function runOrExplain(command: string, words: readonly string[]) {
  try {
    return await run(command, words, { timeout: INSTALL_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const lines = (stderr ?? String(error)).trim().split("\n");
    const said = lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1) ?? "";
    throw new Error(`${words.slice(0, 3).join(" ")} failed: ${said.slice(0, 300)}`);
  }
}
