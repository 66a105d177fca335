import { setTimeout as sleep } from "node:timers/promises";
import type { AskedServer } from "../ask-server.ts";
import type { WireRelease } from "./wire-release.ts";
import { toLine } from "./wire-release.ts";

const LOOK_MS = 500;

/** Writes a line whenever a release has gone on, until it has ended. */
export async function followRelease(server: AskedServer, id: string): Promise<WireRelease> {
  let last = "";
  for (;;) {
    const answer = await server.ask(`/v1/releases/${encodeURIComponent(id)}`);
    const release = (await answer.json()) as WireRelease;
    const line = toLine(release);
    if (line !== last) process.stderr.write(line);
    last = line;
    if (release.phase === "succeeded" || release.phase === "failed") return release;
    await sleep(LOOK_MS);
  }
}
