import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createConfigCommand } from "./config.ts";

describe("sluice config", () => {
  it("shows the configuration in effect with origins and without secrets", async () => {
    const sha256 = "ab".repeat(32);
    const written = await run(["show", "--server.port", "9000"], {
      SLUICE_LOGGING_LEVEL: "debug",
      SLUICE_AUTH_KEYS: JSON.stringify([{ id: "a", sha256 }]),
    });
    expect(written).toContain("port: 9000 # flag --server.port\n");
    expect(written).toContain("level: debug # environment SLUICE_LOGGING_LEVEL\n");
    expect(written).toContain("# environment SLUICE_AUTH_KEYS\n");
    expect(written).not.toContain(sha256);
    expect(parse(written)).toMatchObject({ server: { port: 9000 }, cache: { ttlSeconds: 300 } });
  });

  it("checks the configuration as the start of the server would", async () => {
    expect(await run(["check"])).toBe("The configuration is valid (no file).\n");
    const refused = run(["check", "--server.host", "0.0.0.0", "--replicas=2"]);
    await expect(refused).rejects.toThrow("5 mistakes");
  });

  it("checks the file that is named", async () => {
    const refused = run(["check", "does-not-exist/sluice.yaml"]);
    await expect(refused).rejects.toThrow("a readable file");
  });

  it("prints the JSON Schema", async () => {
    const written = await run(["schema"]);
    expect(JSON.parse(written)).toHaveProperty("properties.server.properties.port.maximum", 65_535);
  });
});

async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  let written = "";
  const command = createConfigCommand({
    env,
    directory: "does-not-exist",
    write: (text) => {
      written += text;
    },
  });
  await command.parseAsync([...words], { from: "user" });
  return written;
}
