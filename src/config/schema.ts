import type { Static } from "typebox";
import { deviceSettings } from "./device-settings.ts";
import { eventSettings } from "./event-settings.ts";
import { faultSettings } from "./fault-settings.ts";
import { feedbackSettings } from "./feedback-settings.ts";
import { graphs } from "./graph-settings.ts";
import { jobSettings } from "./job-settings.ts";
import { batchingSettings, inferenceSettings, modelSettings } from "./models-settings.ts";
import { loggingSettings, replicas, shutdownSettings } from "./operations-settings.ts";
import { grpcSettings, openaiSettings, tensorflowServingSettings } from "./protocol-settings.ts";
import { releaseSettings } from "./release-settings.ts";
import { engineSettings, remoteSettings, role, workerSettings } from "./remote-settings.ts";
import { authSettings, limitSettings, serverSettings } from "./server-settings.ts";
import { root } from "./setting.ts";
import { queueSettings, recordSettings } from "./store-settings.ts";
import { cacheSettings, overloadSettings, rateLimitSettings } from "./traffic-settings.ts";
import { vectorSettings } from "./vector-settings.ts";

/**
 * Every setting of Sluice, in the order of the reference page. A JSON Schema whose keywords the loader, the
 * reference page, the editor schema and the static type are all read from.
 */
export const configSchema = root("Configuration of Sluice.", {
  role,
  server: serverSettings,
  limits: limitSettings,
  grpc: grpcSettings,
  tensorflowServing: tensorflowServingSettings,
  openai: openaiSettings,
  auth: authSettings,
  rateLimit: rateLimitSettings,
  cache: cacheSettings,
  models: modelSettings,
  graphs,
  engine: engineSettings,
  worker: workerSettings,
  remote: remoteSettings,
  inference: inferenceSettings,
  device: deviceSettings,
  batching: batchingSettings,
  jobs: jobSettings,
  releases: releaseSettings,
  feedback: feedbackSettings,
  records: recordSettings,
  queue: queueSettings,
  vectors: vectorSettings,
  events: eventSettings,
  faults: faultSettings,
  overload: overloadSettings,
  shutdown: shutdownSettings,
  logging: loggingSettings,
  replicas,
});

type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value;

/** The complete, checked configuration: every setting has a value. */
export type Config = DeepReadonly<Static<typeof configSchema>>;
