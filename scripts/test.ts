import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `npm test`: everything that must hold before a change lands. Ends with one line `N passed, N failed`.
 * `--static` leaves out the test suites; other words go to vitest, e.g. `npm test -- src/core`.
 */
interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "types of the core alone", command: ["tsc", "-p", "src/core"] },
  { name: "import rules", command: ["node", "scripts/check-structure.ts"] },
  { name: "generated pages", command: ["node", "scripts/generate.ts", "--check"] },
];

const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2);
let passed = 0;
let failed = 0;

for (const check of CHECKS) {
  const ok = run(check.command);
  console.log(`${ok ? "✓" : "✗"} ${check.name}`);
  if (ok) passed++;
  else failed++;
}
if (!words.includes("--static")) runSuites(words);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs a tool of this project under this very Node, whatever the host's `node` is. */
function run([program = "", ...args]: readonly string[]): boolean {
  const bin = join(root, "node_modules", ".bin");
  const executable = program === "node" ? process.execPath : join(bin, program);
  const path = [dirname(process.execPath), bin, process.env["PATH"]].join(delimiter);
  const env = { ...process.env, PATH: path };
  return spawnSync(executable, args, { cwd: root, stdio: "inherit", env }).status === 0;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function runSuites(filters: readonly string[]): void {
  const file = join(tmpdir(), `sluice-test-${process.pid}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const ok = run(["vitest", "run", ...reporters, ...filters]);
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  rmSync(file);
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A file that cannot even be loaded has no failed test of its own.
  const broken = report.testResults.filter(
    (result) => result.status === "failed" && result.assertionResults.length === 0,
  );
  failed += broken.length;
  if (!ok && report.numFailedTests === 0 && broken.length === 0) failed++;
  printSkipped(report);
}

/** A skipped suite says why in its own name, behind "skipped:". */
function printSkipped({ testResults }: Report): void {
  const skipped = testResults
    .flatMap((result) => result.assertionResults)
    .filter((result) => result.status === "skipped" || result.status === "pending");
  const reasons = Map.groupBy(skipped, ({ fullName }) => /\[skipped: (.*?)\]/.exec(fullName)?.[0]);
  for (const [reason, tests] of reasons) {
    const example = tests[0]?.fullName.replace(/ ?\[skipped: .*?\]/, "") ?? "";
    console.log(
      `${reason ?? "[skipped without a reason]"} ${tests.length} tests, e.g. "${example}"`,
    );
  }
}
