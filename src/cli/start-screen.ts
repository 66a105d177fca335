import type { RunningServer } from "../compose/server.ts";
import { isKeyRequired } from "../config/assert-servable.ts";
import { isLoopbackHost } from "../config/loopback-host.ts";
import type { Config } from "../config/schema.ts";
import type { VersionStatus } from "../core/models/registry.ts";
import type { TensorSignature, TensorSpec } from "../core/ports/tensor.ts";
import { describeSpec } from "../core/tensors/check-request.ts";
import { SLUICE_VERSION } from "../version.ts";
import type { UsableModel } from "./first-request.ts";
import { toFirstRequest } from "./first-request.ts";

export interface StartScreenFacts {
  readonly config: Config;
  readonly server: RunningServer;
  readonly file: string | undefined;
  /** How many processes serve together. */
  readonly processes: number;
  /** From the start of the process until now. */
  readonly startMs: number;
}

/** What a person sees first: where it runs, what runs, and a line that works when pasted. */
export function renderStartScreen({
  config,
  server,
  file,
  processes,
  startMs,
}: StartScreenFacts): string {
  const { registry } = server.inference.pipeline;
  const keyed = isKeyRequired(config);
  const rows: [string, string][] = [
    ["address", describeAddress(config, server.url)],
    ...(config.role === "worker" ? [] : [row("docs", `${server.url}/docs`)]),
    ...(server.secondUrl === undefined ? [] : [row("also on", server.secondUrl)]),
    ...(server.grpcAddress === undefined ? [] : [row("gRPC", server.grpcAddress)]),
    ...(processes > 1 ? [row("processes", String(processes))] : []),
    ...registry.list().map((status): [string, string] => ["model", describeModel(status)]),
    ...server.inference.drivers.map(({ port, driver }): [string, string] => [port, driver]),
    ["keys", keyed ? `required, ${config.auth.keys.length} known` : "not required"],
    ["settings", file ?? "defaults, environment and flags"],
  ];
  const table = rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`).join("\n");
  return [
    "",
    `  Sluice ${SLUICE_VERSION}, ready in ${(startMs / 1000).toFixed(2)} s`,
    "",
    table,
    "",
    ...(config.role === "worker"
      ? ["  It takes its work from the queue."]
      : ["  Try it:", `  ${renderFirstRequest(registry.list(), config, server.url)}`]),
    "",
    "",
  ].join("\n");
}

function row(name: string, value: string): [string, string] {
  return [name, value];
}

function renderFirstRequest(
  statuses: readonly VersionStatus[],
  config: Config,
  url: string,
): string {
  const usable = statuses.flatMap(({ model, isDefault, serving, tensors }): UsableModel[] => {
    const task = (serving ?? tensors)?.manifest.task;
    return isDefault && task !== undefined ? [{ model, task }] : [];
  });
  const { path, body } = toFirstRequest(usable, config.models.defaultModel);
  const key = isKeyRequired(config) ? " -H 'Authorization: Bearer YOUR_KEY'" : "";
  const content = body === undefined ? "" : ` -H 'Content-Type: application/json' -d '${body}'`;
  return `curl -s ${url}${path}${key}${content}`;
}

function describeAddress({ server: { host } }: Config, url: string): string {
  return isLoopbackHost(host) ? url : `${url}, from other machines by the addresses of ${host}`;
}

function describeModel(status: VersionStatus): string {
  const name = `${status.model} ${status.version}`;
  if (status.state === "discovered") return `${name} · loaded when it is asked for`;
  if (status.state !== "ready") return `${name} · ${status.state}: ${status.reason ?? ""}`;
  const facts = [
    status.isDefault ? "default" : undefined,
    status.serving?.manifest.labels.slice(0, 4).join("/"),
    status.serving?.manifest.languages.join("+"),
    status.tensors && describeSignature(status.tensors.backend.signature),
    (status.serving ?? status.tensors)?.backend.description,
  ];
  return [name, ...facts.filter((fact) => fact !== undefined && fact !== "")].join(" · ");
}

/** `x FP32 [?, 4] → label INT64 [?]`. */
function describeSignature({ inputs, outputs }: TensorSignature): string {
  const describe = (specs: readonly TensorSpec[]) =>
    specs.map((spec) => `${spec.name} ${describeSpec(spec)}`).join(", ");
  return `${describe(inputs)} → ${describe(outputs)}`;
}
