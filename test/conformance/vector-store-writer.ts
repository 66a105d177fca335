import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite-vec.ts";

/** Stores batches of 5 into the file named by the first argument until it is killed; says so of each that settled. */

const [path = "", from = "0"] = process.argv.slice(2);
const store = await createSqliteVectorStore({ path });
await store.create({ name: "kept", dimensions: 8, metric: "l2", origin: "test" });
for (let batch = Number(from); ; batch++) {
  const items = Array.from({ length: 5 }, (_, i) => ({
    id: `${String(batch).padStart(8, "0")}-${i}`,
    vector: new Float32Array(8).fill(batch),
    text: "x".repeat(2000),
    label: undefined,
    metadata: { batch },
  }));
  await store.upsert("kept", items);
  process.stdout.write(`${batch}\n`);
}
