#!/usr/bin/env node
// Runs the program with the Node that the installation brought, so that `npx sluice` works on any host's Node 20.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const main = new URL("../src/main.ts", import.meta.url);
const local = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (process.features.typescript) {
  keepCompiledCode();
  await import(main.href);
} else if (existsSync(local)) {
  const words = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(local, words, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
} else {
  console.error(`Node ${process.versions.node} does not run TypeScript; 22.18 or newer does.`);
  process.exit(1);
}

/**
 * Compiled code is kept between starts, in the system's folder for temporary files. Switched on here, before any
 * TypeScript, it also spares later starts from loading what strips types. Threads and further processes learn of it by
 * the environment.
 */
function keepCompiledCode() {
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
}
