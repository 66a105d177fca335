import type { ExecFileException } from "node:child_process";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";

/**
 * Python with pinned packages, for tests that let the official Python clients call a server. It is made where the test
 * runs, so such a test needs Python and a package index and is skipped by name where one of them is missing.
 *
 * `TEST_PYTHON_CACHE` names a folder where environments are kept for the next run; otherwise each is made in a
 * temporary folder and removed when its tests are done.
 */

export interface PythonEnvironmentOptions {
  /** Pinned packages, such as `tritonclient[http]==2.50.0`. Only wheels are installed: nothing of theirs runs meanwhile. */
  readonly requirements: readonly string[];
  /** For making the environment and installing everything into it. Default: four minutes. */
  readonly timeLimitMs?: number;
}

export interface PythonEnvironment {
  /** Path of the interpreter. */
  readonly python: string;
  /**
   * Runs the interpreter with these words, for instance `["-c", source]`, and resolves with what it prints to its first
   * stream. It is killed after `timeLimitMs` (default: one minute).
   *
   * @throws Error with all that was printed, when it ends with another code than 0
   */
  run(words: readonly string[], timeLimitMs?: number): Promise<string>;
  /** Removes what was made for these tests only. May be called twice. */
  close(): Promise<void>;
}

/** An environment, or the reason why there can be none. */
export type PythonEnvironmentOutcome =
  | { readonly environment: PythonEnvironment; readonly reason: undefined }
  | { readonly environment: undefined; readonly reason: string };

const INSTALL_LIMIT_MS = 240_000;
const RUN_LIMIT_MS = 60_000;
const OLDEST = "3.9";
/** A client that knows of a proxy would ask it for the server on this machine. */
const DIRECT = { NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" };

/** Makes an environment with these packages, or finds the one that an earlier run made. Never throws. */
export async function createPythonEnvironment(
  options: PythonEnvironmentOptions,
): Promise<PythonEnvironmentOutcome> {
  const interpreter = await findInterpreter();
  if (interpreter === undefined) return missing(`no Python ${OLDEST} or newer`);
  const cache = process.env["TEST_PYTHON_CACHE"];
  try {
    if (cache === undefined || cache === "") {
      const folder = await mkdtemp(join(tmpdir(), "sluice-python-"));
      const close = () => rm(folder, { recursive: true, force: true });
      try {
        await install(folder, interpreter.command, options);
      } catch (error) {
        await close();
        throw error;
      }
      return { environment: createEnvironment(folder, close), reason: undefined };
    }
    const folder = await findOrInstall(cache, interpreter, options);
    return { environment: createEnvironment(folder, async () => {}), reason: undefined };
  } catch (error) {
    return missing(`packages cannot be installed: ${lastLine(error)}`);
  }
}

/**
 * A suite that needs Python packages; skipped by name, with the reason, where they cannot be had. To be awaited at the
 * top level of a test file.
 */
export async function describeWithPython(
  title: string,
  requirements: readonly string[],
  suite: (environment: PythonEnvironment) => void,
): Promise<void> {
  const { environment, reason } = await createPythonEnvironment({ requirements });
  const skipped = reason === undefined ? "" : ` [skipped: ${reason}]`;
  describe.skipIf(environment === undefined)(`${title}${skipped}`, () => {
    afterAll(() => environment?.close());
    suite(environment ?? ABSENT);
  });
}

/** Stands in for the environment while the tests that are skipped are collected. */
const ABSENT: PythonEnvironment = {
  python: "",
  run: () => Promise.reject(new Error("there is no Python")),
  close: async () => {},
};

interface Interpreter {
  readonly command: string;
  /** `major.minor`. */
  readonly version: string;
}

async function findInterpreter(): Promise<Interpreter | undefined> {
  const source = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
  for (const command of ["python3", "python"]) {
    try {
      const version = (await execute(command, ["-c", source], 10_000)).trim();
      if (version.localeCompare(OLDEST, "en", { numeric: true }) >= 0) return { command, version };
    } catch {
      // Not there, or too old to know these modules: the next one may do.
    }
  }
  return undefined;
}

async function findOrInstall(
  cache: string,
  interpreter: Interpreter,
  options: PythonEnvironmentOptions,
): Promise<string> {
  const contents = JSON.stringify([interpreter.version, options.requirements]);
  const key = createHash("sha256").update(contents).digest("hex").slice(0, 16);
  const folder = join(cache, key);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  // Made beside its place and moved there whole: a folder that is there is complete, whoever else is at work.
  const draft = await mkdtemp(join(cache, `${key}-`));
  try {
    await install(draft, interpreter.command, options);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** @throws Error when it takes too long, or a package is not to be had */
async function install(
  folder: string,
  command: string,
  { requirements, timeLimitMs = INSTALL_LIMIT_MS }: PythonEnvironmentOptions,
): Promise<void> {
  const endsMs = Date.now() + timeLimitMs;
  await execute(command, ["-m", "venv", folder], timeLimitMs);
  const pip = ["-m", "pip", "--no-input", "--disable-pip-version-check", "--quiet", "install"];
  const patience = ["--retries", "1", "--timeout", "15", "--only-binary", ":all:"];
  const leftMs = Math.max(1, endsMs - Date.now());
  await execute(pythonOf(folder), [...pip, ...patience, ...requirements], leftMs);
}

function createEnvironment(folder: string, close: () => Promise<void>): PythonEnvironment {
  const python = pythonOf(folder);
  return {
    python,
    run: (words, timeLimitMs = RUN_LIMIT_MS) => execute(python, words, timeLimitMs),
    close,
  };
}

function pythonOf(folder: string): string {
  return process.platform === "win32"
    ? join(folder, "Scripts", "python.exe")
    : join(folder, "bin", "python");
}

function execute(command: string, words: readonly string[], timeLimitMs: number): Promise<string> {
  const env = { ...process.env, ...DIRECT, PYTHONDONTWRITEBYTECODE: "1", PYTHONUTF8: "1" };
  const settings = {
    env,
    timeout: timeLimitMs,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 24,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(command, words, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${describeEnd(error, timeLimitMs)}\n${stdout}${stderr}`));
    });
  });
}

function describeEnd(error: ExecFileException, timeLimitMs: number): string {
  if (error.killed === true) return `Python was given up after ${timeLimitMs} ms.`;
  return `Python ended with ${error.code ?? error.signal}.`;
}

function missing(reason: string): PythonEnvironmentOutcome {
  return { environment: undefined, reason };
}

function lastLine(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error)
    .trim()
    .split("\n");
  return (lines.at(-1) ?? "").slice(0, 200);
}
