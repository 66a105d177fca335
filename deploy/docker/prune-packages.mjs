// Removes from an installation what no server needs: libraries of other platforms, a second Node, source maps, and types.
// Usage: node prune-packages.mjs NODE_MODULES [PLATFORM ARCHITECTURE]
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const [folder, platform = process.platform, architecture = process.arch] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  console.error("Name the folder node_modules of an installation.");
  process.exit(1);
}

const OTHER_NODE = /^(node-bin-|node-(linux|darwin|win)-)/;
const FOR_DEVELOPERS = /\.(map|d\.ts|d\.mts|d\.cts)$/;

for (const name of readdirSync(folder)) {
  if (OTHER_NODE.test(name)) remove(join(folder, name));
}
// It leads to the Node that is gone now.
remove(join(folder, ".bin", "node"));

const runtimes = join(folder, "onnxruntime-node", "bin", "napi-v6");
for (const system of listFolders(runtimes)) {
  for (const machine of listFolders(join(runtimes, system))) {
    if (system !== platform || machine !== architecture) remove(join(runtimes, system, machine));
  }
}
if (!existsSync(join(runtimes, platform, architecture, "onnxruntime_binding.node"))) {
  console.error(`ONNX Runtime has no library for ${platform} ${architecture} in ${runtimes}.`);
  process.exit(1);
}

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && FOR_DEVELOPERS.test(entry.name)) remove(join(entry.parentPath, entry.name));
}

function listFolders(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
