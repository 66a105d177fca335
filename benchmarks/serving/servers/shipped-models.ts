import type { ServerProcess } from "./server-process.ts";

/** An entry of `GET /models`. */
export interface ListedModel {
  readonly model: string;
  readonly version: string;
  readonly state: string;
  readonly task?: string;
  readonly backend?: string;
}

/** The classifiers that a server has ready, all versions. */
export async function listClassifiers({
  host,
  port,
}: Pick<ServerProcess, "host" | "port">): Promise<ListedModel[]> {
  const response = await fetch(`http://${host}:${port}/models`, {
    headers: { connection: "close" },
  });
  const { models } = (await response.json()) as { models: readonly ListedModel[] };
  return models.filter(({ state, task }) => state === "ready" && task === "classification");
}

/** Flags by which a server answers everything with one version, whatever else it has and whatever language a text is in. */
export function toVersionFlags({
  model,
  version,
}: Pick<ListedModel, "model" | "version">): string[] {
  return [
    "--models.default-model",
    model,
    "--models.default-versions",
    JSON.stringify({ [model]: version }),
    "--models.route-by-language",
    "false",
  ];
}
