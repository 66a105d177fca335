import { describe, expect, it } from "vitest";
import { parseFlags, readFlags } from "./read-flags.ts";
import { resolveLayers } from "./resolve-layers.ts";

describe("readFlags", () => {
  it("accepts camel case and kebab case", () => {
    for (const name of [
      "server.maxBodyBytes",
      "server.max-body-bytes",
      "--server.max-body-bytes",
    ]) {
      const { values } = resolveLayers([readFlags({ [name]: "2048" })]);
      expect(values.get("server.maxBodyBytes")).toBe(2048);
    }
  });

  it("reports an unknown flag with the one that was meant", () => {
    const [problem, short] = readFlags({ "server.max-body-byte": "1", port: "1" }).problems;
    expect(problem?.advice).toBe("Did you mean --server.max-body-bytes?");
    expect(short?.advice).toBe("Did you mean --server.port?");
  });
});

describe("parseFlags", () => {
  it("reads words of the command line", () => {
    const words = ["--server.port", "1", "--server.host=::1", "--models.fail-on-invalid"];
    expect(parseFlags(words)).toEqual({
      "server.port": "1",
      "server.host": "::1",
      "models.fail-on-invalid": "true",
    });
  });

  it("refuses words that are no flag and flags without a value, all at once", () => {
    expect(() => parseFlags(["start", "--server.port", "--server.host"])).toThrow(/3 mistakes/);
  });
});
