import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { Option } from "commander";
import { parse, stringify } from "yaml";
import { SluiceError } from "../../core/errors.ts";
import type { ReleasePlan } from "../../core/releases/release-plan.ts";
import { decodePlan } from "../../protocols/native/releases/decode-plan.ts";
import type { ExportedPlan, ReleaseTarget } from "../../protocols/release-manifests/manifest.ts";
import { toFlagger } from "../../protocols/release-manifests/to-flagger.ts";
import { toIstio } from "../../protocols/release-manifests/to-istio.ts";
import type { ServerOptions } from "../ask-server.ts";
import { toServer } from "../ask-server.ts";
import { parseCount } from "../parse-arguments.ts";

interface ExportOptions extends ServerOptions {
  readonly flagger?: boolean;
  readonly istio?: boolean;
  readonly plan?: string;
  readonly stable?: string;
  readonly target?: string;
  readonly namespace: string;
  readonly port: number;
  readonly prometheus: string;
}

/** What is exported, and where it stands. */
interface Exported {
  readonly plan: ReleasePlan;
  readonly stable: string | undefined;
  readonly weight: number | null;
}

/**
 * Adds what `sluice release export` does.
 *
 * @param resolve finds the path of the release that is meant
 */
export function addExport(
  command: Command,
  resolve: (id: string | undefined, options: ServerOptions) => Promise<string>,
): Command {
  return command
    .option("--plan <file>", "JSON or YAML with a plan, in place of a release of the server")
    .addOption(new Option("--flagger", "as a Canary with MetricTemplates").conflicts("istio"))
    .option("--istio", "as a VirtualService with a DestinationRule, for where it stands now")
    .option("--stable <version>", "version that answers now, for --istio with --plan")
    .option("--target <name>", "Deployment and Service (default: name of the model)")
    .option("--namespace <name>", "where they are", "default")
    .option("--port <port>", "port of the Service", parseCount, 8000)
    .option("--prometheus <url>", "metrics server", "http://prometheus.monitoring:9090")
    .action(async (id: string | undefined, options: ExportOptions) => {
      if (options.flagger !== true && options.istio !== true) {
        throw new SluiceError("invalid_argument", "Say --flagger or --istio.");
      }
      const found =
        options.plan === undefined
          ? await askPlan(await resolve(id, options), options)
          : readPlanFile(options.plan, options);
      const { objects, losses } = translate(found, options);
      process.stdout.write(
        objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n"),
      );
      // Beside the objects, so that these can be piped on.
      for (const loss of losses) process.stderr.write(`# ${loss}\n`);
    });
}

function translate({ plan, stable, weight }: Exported, options: ExportOptions): ExportedPlan {
  const target = toTarget(plan, options);
  if (options.flagger === true) return toFlagger(plan, target);
  if (stable !== undefined) return toIstio(plan, target, { stable, weight });
  const message = "Say with --stable which version answers now.";
  throw new SluiceError("invalid_argument", message);
}

/** Names of Services, and what Istio makes of them. */
const SERVICE_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

function toTarget(plan: ReleasePlan, options: ExportOptions): ReleaseTarget {
  const { target = plan.model, namespace, port, prometheus } = options;
  for (const [option, name] of Object.entries({ target, namespace })) {
    if (SERVICE_NAME.test(name)) continue;
    const rule = "must be lower-case letters, digits and hyphens, a letter first";
    throw new SluiceError("invalid_argument", `--${option} ${JSON.stringify(name)} ${rule}.`);
  }
  if (port < 1 || port > 65_535) {
    throw new SluiceError("invalid_argument", "--port must be from 1 to 65535.");
  }
  if (!/^https?:\/\/\S+$/.test(prometheus)) {
    throw new SluiceError("invalid_argument", "--prometheus must be an http address.");
  }
  return { name: target, namespace, port, prometheus };
}

async function askPlan(path: string, options: ServerOptions): Promise<Exported> {
  const answer = await toServer(options).ask(path);
  const { plan, stable, weight } = (await answer.json()) as {
    readonly plan: unknown;
    readonly stable: string;
    readonly weight: number;
  };
  return { plan: decodePlan(plan, () => true), stable, weight };
}

function readPlanFile(path: string, { stable }: ExportOptions): Exported {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SluiceError("invalid_argument", `The plan ${path} cannot be read.`, { cause });
  }
  try {
    // JSON is YAML too.
    return { plan: decodePlan(parse(text), () => true), stable, weight: null };
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const message = `The plan ${path} is neither JSON nor YAML.`;
    throw new SluiceError("invalid_argument", message, { cause });
  }
}
