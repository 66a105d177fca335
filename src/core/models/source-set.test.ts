import { describe, expect, it } from "vitest";
import { SluiceError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { DiscoveredPackage, ModelSource } from "../ports/model-source.ts";
import { joinSources } from "./source-set.ts";

const log: string[] = [];
const write = (message: string) => void log.push(message);
const logger: Logger = { debug: write, info: write, warn: write, error: write };

/** A source whose packages, and whether it can be read, a test changes as it goes. */
class ChangingSource implements ModelSource {
  readonly description: string;
  packages: string[];
  isDark = false;
  tidied = 0;
  closed = 0;

  constructor(description: string, packages: string[]) {
    this.description = description;
    this.packages = packages;
  }

  list = async (): Promise<readonly DiscoveredPackage[]> => {
    if (this.isDark) throw new SluiceError("unavailable", "It is dark.");
    return this.packages.map((name) => this.#toPackage(name));
  };
  listKept = async () => [this.#toPackage("kept 1.0.0")];
  tidy = async () => void this.tidied++;
  close = () => void this.closed++;

  #toPackage(name: string): DiscoveredPackage {
    const [model = "", version = ""] = name.split(" ");
    return { model, version, verify: () => Promise.reject(new Error(this.description)) };
  }
}

const names = (packages: readonly DiscoveredPackage[]) =>
  packages.map(({ model, version }) => `${model} ${version}`);

describe("joinSources", () => {
  it("lists all, and of a version that two have the first one's", async () => {
    const first = new ChangingSource("first", ["a 1.0.0", "b 1.0.0"]);
    const second = new ChangingSource("second", ["b 1.0.0", "c 1.0.0"]);
    const { joined, members } = joinSources([first, second], logger);
    log.length = 0;
    const found = await joined.list();
    await joined.list();
    expect(names(found)).toEqual(["a 1.0.0", "b 1.0.0", "c 1.0.0"]);
    await expect(found[1]?.verify()).rejects.toThrow("first");
    expect(log).toHaveLength(1);
    expect(names((await members[1]?.list()) ?? [])).toEqual(["c 1.0.0"]);
    expect(joined.description).toBe("first; second");
  });

  it("leaves a version with the source that had it first, and passes it on when that one has it no more", async () => {
    const first = new ChangingSource("first", []);
    const second = new ChangingSource("second", ["a 1.0.0"]);
    const { joined, members } = joinSources([first, second], logger);
    await joined.list();
    first.packages = ["a 1.0.0"];
    expect(await members[0]?.list()).toEqual([]);
    second.packages = [];
    await members[1]?.list();
    expect(names((await members[0]?.list()) ?? [])).toEqual(["a 1.0.0"]);
  });

  it("takes what is kept of a source that cannot be read, and fails where nothing can be", async () => {
    const source = new ChangingSource("far", ["a 1.0.0"]);
    const { joined, members } = joinSources([source], logger);
    source.isDark = true;
    expect(names(await joined.list())).toEqual(["kept 1.0.0"]);
    await expect(members[0]?.list()).rejects.toThrow("It is dark.");
    const bare = { description: "near", list: source.list };
    await expect(joinSources([bare], logger).joined.list()).rejects.toThrow("It is dark.");
  });

  it("tidies a source once, before anything of it serves, and closes all", async () => {
    const source = new ChangingSource("far", []);
    const { joined } = joinSources([source], logger);
    await joined.list();
    await joined.list();
    expect(source.tidied).toBe(1);
    joined.close?.();
    expect(source.closed).toBe(1);
  });
});
