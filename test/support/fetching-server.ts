import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelFolder } from "./model-folder.ts";
import { createModelFolder, writeRandomClassifier } from "./model-folder.ts";
import type { TestServer } from "./test-server.ts";
import { startTestServer } from "./test-server.ts";

/** Long enough to be cut into pieces. */
const CARD = "A card. ".repeat(40_000);

interface SeenVersion {
  readonly model: string;
  readonly version: string;
  readonly state: string;
  readonly reason?: string | null;
}

/** A package outside of every source. */
export interface LoosePackage {
  readonly root: string;
  readonly files: readonly (readonly [name: string, bytes: Buffer])[];
  remove(): Promise<void>;
}

/** A package with a file that is long enough to be fetched in pieces. */
export async function makeLoosePackage(
  model: string,
  version: string,
  seed = 1,
): Promise<LoosePackage> {
  const made = await createModelFolder();
  await made.write({ model, version, bytes: writeRandomClassifier(seed) });
  await made.writeFiles(join(model, version), { "MODEL_CARD.md": CARD });
  const root = join(made.path, model, version);
  const read = async (name: string) => [name, await readFile(join(root, name))] as const;
  const files = await Promise.all((await readdir(root)).map(read));
  return { root, files, remove: () => made.remove() };
}

/** A server with a model `local` of its own, that fetches others. */
export class FetchingServer {
  readonly folder: string;
  readonly local: ModelFolder;
  #server: TestServer | undefined;

  private constructor(folder: string, local: ModelFolder) {
    this.folder = folder;
    this.local = local;
  }

  static async create(): Promise<FetchingServer> {
    const local = await createModelFolder();
    await local.write({ model: "local" });
    return new FetchingServer(await mkdtemp(join(tmpdir(), "sluice-sources-")), local);
  }

  /** Where packages are kept. */
  get packages(): string {
    return join(this.folder, "packages");
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error("The server was not started.");
    return this.#server;
  }

  async start(flags: Readonly<Record<string, string>>): Promise<TestServer> {
    this.#server = await startTestServer({
      "models.directory": this.local.path,
      "models.defaultModel": "local",
      "models.fetching.directory": this.packages,
      "models.fetching.pollMs": "100",
      "models.fetching.attempts": "3",
      "models.fetching.timeoutMs": "1000",
      "models.watchMs": "100",
      "models.control": "explicit",
      ...flags,
    });
    return this.#server;
  }

  async stop(): Promise<void> {
    await this.#server?.drain();
    this.#server = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.local.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** States by `name version`, with the reason of those that failed. */
  async states(): Promise<Record<string, string>> {
    const answer = await fetch(`${this.server.url}/models`);
    const { models } = (await answer.json()) as { models: SeenVersion[] };
    return Object.fromEntries(
      models.map(({ model, version, state, reason = null }) => [
        `${model} ${version}`,
        reason === null ? state : `${state}: ${reason}`,
      ]),
    );
  }

  /** The version that answers, or the status of an answer without one. */
  async ask(model: string): Promise<string> {
    const answer = await this.server.classify({ text: "A good film.", model });
    if (answer.status !== 200) return String(answer.status);
    return ((await answer.json()) as { model_version: string }).model_version;
  }
}
