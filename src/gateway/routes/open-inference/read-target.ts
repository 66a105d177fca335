import type { FastifyRequest } from "fastify";

/** The model that an address names. */
export interface Target {
  readonly model: string;
  /** `undefined` = the default one. */
  readonly version: string | undefined;
}

/** Reads the names out of `/v2/models/:model` and `/v2/models/:model/versions/:version`. */
export function readTarget({ params }: FastifyRequest): Target {
  const { model = "", version } = params as Partial<Record<string, string>>;
  return { model, version };
}

/** Both addresses of something that a model has: of its default version, and of one that is named. */
export function toTargetPaths(rest: string): readonly string[] {
  return [`/v2/models/:model${rest}`, `/v2/models/:model/versions/:version${rest}`];
}
