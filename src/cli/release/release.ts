import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { SluiceError } from "../../core/errors.ts";
import type { ServerOptions } from "../ask-server.ts";
import { onServer, toServer } from "../ask-server.ts";
import { parseCount } from "../parse-arguments.ts";
import { addExport } from "./export.ts";
import { followRelease } from "./follow-release.ts";
import type { WireMatch } from "./parse-match.ts";
import { parseMatch } from "./parse-match.ts";
import type { WireRelease } from "./wire-release.ts";
import { toLine } from "./wire-release.ts";

interface WireEvent {
  readonly type: string;
  readonly message: string;
  readonly at: string;
  readonly checks: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly reason: string;
  }[];
}

interface StartOptions extends ServerOptions {
  readonly plan?: string;
  readonly strategy?: string;
  readonly stepWeight?: number;
  readonly maxWeight?: number;
  readonly match?: readonly WireMatch[];
  readonly interval?: number;
  readonly wait?: boolean;
}

const COMMANDS = {
  pause: "Hold a release where it is.",
  resume: "Go on with a release that was paused.",
  promote: "Give the candidate everything now.",
  rollback: "Give everything back to the stable version now.",
} as const;

/** `sluice release …`: new versions that go live step by step, and back by themselves when they are bad. */
export function createReleaseCommand(): Command {
  const command = new Command("release")
    .description("Let a version go live step by step, and look after that.")
    .addCommand(createStartCommand())
    .addCommand(
      forRelease("status", "Show where a release stands and what its last check found.")
        .option("--json", "as JSON")
        .option("--watch", "go on until it has ended")
        .action(async (id: string | undefined, options: ServerOptions & StatusOptions) => {
          const server = toServer(options);
          const found = await resolveId(id, options);
          if (options.watch === true) await followRelease(server, found);
          const accept = options.json === true ? "application/json" : "text/plain";
          const answer = await server.ask(at(found), { headers: { accept } });
          process.stdout.write(`${(await answer.text()).trimEnd()}\n`);
        }),
    )
    .addCommand(
      forRelease("history", "List what was decided, newest first, with the reasons.")
        .option("--limit <count>", "how many", parseCount, 20)
        .action(async (id: string | undefined, options: ServerOptions & { limit: number }) => {
          const path = `${at(await resolveId(id, options))}/history?limit=${options.limit}`;
          const answer = await toServer(options).ask(path);
          const { events } = (await answer.json()) as { readonly events: readonly WireEvent[] };
          process.stdout.write(
            events.length === 0 ? "no decisions yet\n" : events.map(toText).join(""),
          );
        }),
    )
    .addCommand(
      onServer(new Command("list").description("List releases, newest first."))
        .option("--limit <count>", "how many", parseCount, 20)
        .action(async (options: ServerOptions & { limit: number }) => {
          const releases = await listReleases(options, options.limit);
          process.stdout.write(
            releases.length === 0 ? "no releases\n" : releases.map(toLine).join(""),
          );
        }),
    );
  const exporting = forRelease("export", "Write the plan for Flagger or Istio.");
  command.addCommand(addExport(exporting, async (id, options) => at(await resolveId(id, options))));
  for (const [name, description] of Object.entries(COMMANDS)) {
    command.addCommand(
      forRelease(name, description).action(
        async (id: string | undefined, options: ServerOptions) => {
          const path = `${at(await resolveId(id, options))}/${name}`;
          const answer = await toServer(options).ask(path, { method: "POST" });
          process.stdout.write(toLine((await answer.json()) as WireRelease));
        },
      ),
    );
  }
  return command.addCommand(createRestartCommand());
}

function createRestartCommand(): Command {
  return onServer(new Command("restart"))
    .description("Begin a release again, with another candidate or the same one.")
    .argument("<version>", "version that is to go live instead")
    .argument("[id]", "id of the release (default: the newest)")
    .action(async (candidate: string, id: string | undefined, options: ServerOptions) => {
      const path = `${at(await resolveId(id, options))}/candidate`;
      const answer = await toServer(options).ask(path, toJson({ candidate }));
      process.stdout.write(toLine((await answer.json()) as WireRelease));
    });
}

function toJson(body: object) {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

function createStartCommand(): Command {
  return onServer(new Command("start"))
    .description("Let a version go live against the one that answers now.")
    .argument("<model>", "name of the model")
    .argument("<version>", "version that is to go live")
    .option("--plan <file>", "JSON with further fields of the plan")
    .addOption(
      new Option("--strategy <kind>", "how traffic comes to it (default: canary)").choices([
        "canary",
        "blue_green",
        "ab",
        "shadow",
      ]),
    )
    .option("--step-weight <percent>", "canary: percent per step (default: 5)", parseCount)
    .option(
      "--max-weight <percent>",
      "canary: last step before everything (default: 50)",
      parseCount,
    )
    .option(
      "--match <way>",
      "ab: who gets it: header:<name>=<value>, cookie:<name>=<value> or key=<id>; may be repeated",
      parseMatch,
    )
    .option("--interval <ms>", "time between two checks (default: 60000)", parseCount)
    .option("--wait", "follow it until it has ended; exits with 1 when it failed")
    .action(async (model: string, candidate: string, options: StartOptions) => {
      const server = toServer(options);
      const plan = { ...toPlan(options), model, candidate };
      const answer = await server.ask("/v1/releases", toJson(plan));
      const release = (await answer.json()) as WireRelease;
      process.stdout.write(toLine(release));
      if (options.wait !== true) return;
      const ended = await followRelease(server, release.id);
      if (ended.phase !== "succeeded") process.exitCode = 1;
    });
}

/** Fields of the plan that the options set, over those of the file. */
function toPlan({ plan, interval, ...options }: StartOptions): object {
  const fields = plan === undefined ? {} : readPlan(plan);
  const strategy = toStrategy(options);
  return {
    ...fields,
    ...(strategy !== undefined && { strategy }),
    ...(interval !== undefined && { interval_ms: interval }),
  };
}

/** @returns undefined where no option says anything about it */
function toStrategy({ strategy, stepWeight, maxWeight, match }: StartOptions): object | undefined {
  const isWeighted = stepWeight !== undefined || maxWeight !== undefined;
  if (strategy === undefined && !isWeighted && match === undefined) return undefined;
  const kind = strategy ?? (match === undefined ? "canary" : "ab");
  return { kind, step_weight: stepWeight, max_weight: maxWeight, matches: match };
}

function readPlan(path: string): object {
  try {
    const plan: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof plan === "object" && plan !== null && !Array.isArray(plan)) return plan;
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? "is no JSON" : "cannot be read";
    throw new SluiceError("invalid_argument", `The plan ${path} ${problem}.`, { cause });
  }
  throw new SluiceError("invalid_argument", `The plan ${path} must be a JSON object.`);
}

async function listReleases(
  options: ServerOptions,
  limit: number,
): Promise<readonly WireRelease[]> {
  const answer = await toServer(options).ask(`/v1/releases?limit=${limit}`);
  const { releases } = (await answer.json()) as { readonly releases: readonly WireRelease[] };
  return releases;
}

/** The release that a command is about: the one that is named, or else the newest. */
async function resolveId(id: string | undefined, options: ServerOptions): Promise<string> {
  if (id !== undefined) return id;
  const [newest] = await listReleases(options, 1);
  if (newest !== undefined) return newest.id;
  throw new SluiceError("not_found", "There are no releases; 'sluice release start' starts one.");
}

function forRelease(name: string, description: string): Command {
  return onServer(new Command(name))
    .description(description)
    .argument("[id]", "id of the release (default: the newest)");
}

function at(id: string): string {
  return `/v1/releases/${encodeURIComponent(id)}`;
}

function toText({ type, message, at: time, checks }: WireEvent): string {
  const rows = checks
    .filter(({ outcome }) => outcome !== "pass")
    .map(({ name, outcome, reason }) => `    ${name}: ${outcome}, ${reason}\n`);
  return `${time}  ${type.padEnd(7)}  ${message}\n${rows.join("")}`;
}
