import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NEGATIVE_OPINIONS, POSITIVE_OPINIONS } from "./opinions.ts";
import type { TestServer } from "./test-server.ts";
import { startTestServer } from "./test-server.ts";

const SHIPPED = new URL("../../models/text-classification/", import.meta.url).pathname;
const OPINIONS = [...POSITIVE_OPINIONS, ...NEGATIVE_OPINIONS];

/** A release as the server tells of it. */
export interface SeenRelease {
  readonly id: string;
  readonly phase: string;
  readonly step: number;
  readonly weight: number;
  readonly reason: string | null;
  readonly checks: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly value: number | null;
    readonly stable_value: number | null;
    readonly samples: number;
    readonly reason: string;
  }[];
}

/** A plan that is over in seconds. */
export const QUICK_PLAN = {
  model: "text-classification",
  candidate: "1.1.0",
  strategy: { kind: "canary", step_weights: [30, 60] },
  interval_ms: 1000,
  min_samples: 20,
  max_consecutive_failures: 1,
  sticky_by: { kind: "request" },
  mirror_share: 50,
};

/** What callers saw. */
export interface SeenAnswers {
  readonly statuses: Map<number, number>;
  /** Versions that answered, in the order of their answers. */
  readonly versions: string[];
}

/** A server with a folder of versions of the shipped model, for releases. */
export class ReleaseServer {
  readonly folder: string;
  #server: TestServer | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** With version 1.0.0 in its folder, and not started yet. */
  static async create(): Promise<ReleaseServer> {
    const made = new ReleaseServer(await mkdtemp(join(tmpdir(), "sluice-releases-")));
    await made.addVersion("1.0.0", "1.0.0");
    return made;
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error("The server was not started.");
    return this.#server;
  }

  /** A shipped package as another version, with changes to its manifest. */
  async addVersion(from: string, version: string, changes: object = {}): Promise<void> {
    const path = join(this.folder, "models/text-classification", version);
    await cp(join(SHIPPED, from), path, { recursive: true });
    const manifest = JSON.parse(await readFile(join(path, "manifest.json"), "utf8"));
    await writeFile(
      join(path, "manifest.json"),
      JSON.stringify({ ...manifest, version, ...changes }),
    );
  }

  async start(flags: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    this.#server = await startTestServer({
      "models.directory": join(this.folder, "models"),
      "models.defaultVersions": '{"text-classification":"1.0.0"}',
      "records.store.path": join(this.folder, "records.db"),
      "releases.pollMs": "50",
      "rateLimit.requests": "0",
      ...flags,
    });
    return this.#server;
  }

  async close(): Promise<void> {
    await this.#server?.drain();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks with GET, or with POST where there is a body. */
  async ask<Answer>(path: string, body?: object, method?: string): Promise<Answer> {
    const response = await fetch(`${this.server.url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  release(plan: object = {}): Promise<SeenRelease> {
    return this.ask("/v1/releases", { ...QUICK_PLAN, ...plan });
  }

  find(id: string): Promise<SeenRelease> {
    return this.ask(`/v1/releases/${id}`);
  }

  /** Waits, without asking anything of a model, until the release has ended or is in one of `phases`. */
  async waitFor(id: string, phases = ["succeeded", "failed"]): Promise<SeenRelease> {
    const endsAt = Date.now() + 40_000;
    let last = await this.find(id);
    while (!phases.includes(last.phase) && Date.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await this.find(id);
    }
    return last;
  }

  /** Asks the model again and again until the release has ended, or is in one of `phases`. */
  async callUntil(id: string, phases?: string[]): Promise<[SeenRelease, SeenAnswers]> {
    const seen: SeenAnswers = { statuses: new Map(), versions: [] };
    let isOver = false;
    const call = async (worker: number) => {
      for (let at = worker; !isOver; at += 4) {
        const text = `${OPINIONS[at % OPINIONS.length]} ${at}`;
        const response = await this.server.classify({ text });
        const { status } = response;
        const { model_version: version } = (await response.json()) as { model_version: string };
        seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
        seen.versions.push(version);
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    };
    const calls = [0, 1, 2, 3].map(call);
    const last = await this.waitFor(id, phases);
    isOver = true;
    await Promise.all(calls);
    return [last, seen];
  }
}
