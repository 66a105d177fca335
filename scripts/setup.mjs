// Brings a fresh clone to where it can run: installs what the lock names, once per lock, and makes sure that a Node
// which runs TypeScript is there. Plain JavaScript for Node 20, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const marker = join(root, "node_modules", ".installed-lock");
const lock = readFileSync(join(root, "package-lock.json"));
const digest = createHash("sha256").update(lock).digest("hex");

if (!existsSync(marker) || readFileSync(marker, "utf8") !== digest) {
  install();
  writeFileSync(marker, digest);
}
assertNodeRunsTypeScript();

function install() {
  console.log("Installing dependencies, once (about half a minute) …");
  if (npm("ci")) return;
  // A registry that lacks one platform's optional package can refuse the lock although nothing needed is missing.
  console.log("The locked installation was refused; resolving the same ranges without the lock …");
  if (npm("install", "--no-package-lock")) return;
  console.error("The dependencies could not be installed; npm's message above says why.");
  process.exit(1);
}

function npm(...words) {
  const quiet = [
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--include=dev",
    "--include=optional",
  ];
  const result = spawnSync("npm", [...words, ...quiet], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
    // ONNX Runtime's CPU library is inside its package; its install script would only fetch GPU libraries.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
  });
  return result.status === 0;
}

/** npm scripts find node_modules/.bin first, so the Node installed there is the one that will run. */
function assertNodeRunsTypeScript() {
  const local = join(
    root,
    "node_modules",
    ".bin",
    process.platform === "win32" ? "node.cmd" : "node",
  );
  if (existsSync(local)) return;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  console.error(
    `Node ${process.versions.node} does not run TypeScript, and this registry has no Node package for ` +
      `${process.platform}-${process.arch}. Install Node 24 from your package manager, then run this again.`,
  );
  process.exit(1);
}
