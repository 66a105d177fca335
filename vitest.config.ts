import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,scripts,benchmarks}/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/{conformance,integration,e2e}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // These tests start servers and load them; side by side on two cores they would time each other out.
          fileParallelism: false,
        },
      },
    ],
  },
});
