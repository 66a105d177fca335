import { SluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/clock.ts";
import { decodeMetadata } from "../../protocols/open-inference/decode-metadata.ts";
import type { ModelProperties } from "../../protocols/open-inference/model-properties.ts";
import { decodeModelProperties } from "../../protocols/open-inference/model-properties.ts";
import { decodeIndexAnswer } from "../../protocols/open-inference/repository.ts";
import { toHttpError } from "../remote/answer-error.ts";
import type { HttpAnswer, HttpCall, HttpClient, HttpClientOptions } from "../remote/http-client.ts";
import { createHttpClient } from "../remote/http-client.ts";

/** A version that an engine has ready. */
export interface EngineModel extends ModelProperties {
  readonly model: string;
  readonly version: string;
}

/** What is known about models of engines, looked up anew each time. */
export interface EngineDirectory {
  /**
   * Every version that one of the engines has ready; of engines that do not answer, nothing.
   *
   * @throws SluiceError `unavailable` when no engine answers
   */
  list(): Promise<readonly { readonly model: string; readonly version: string }[]>;
  /**
   * What an engine says about a version.
   *
   * @throws SluiceError `unavailable` when no engine has it, or none says what it is
   */
  describe(model: string, version: string): Promise<EngineModel>;
  /** Closes the connections. Idempotent. */
  close(): void;
}

export interface EngineDirectoryOptions extends Omit<HttpClientOptions, "baseUrl"> {
  /** At least one. */
  readonly urls: readonly string[];
  /** Milliseconds that a question may take; > 0. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Asks Sluice engines by the Open Inference Protocol what they have. */
export function createEngineDirectory(options: EngineDirectoryOptions): EngineDirectory {
  const { urls, timeoutMs } = options;
  const clients = urls.map((baseUrl) => createHttpClient({ ...options, baseUrl }));
  return {
    list: async () => {
      const answers = await Promise.allSettled(
        clients.map(async (client) => {
          const call = { method: "POST", path: "/v2/repository/index", timeoutMs } as const;
          const { body } = await ask(client, { ...call, body: '{"ready":true}' });
          return decodeIndexAnswer(body);
        }),
      );
      const found = new Map<string, { model: string; version: string }>();
      for (const answer of answers) {
        if (answer.status === "rejected") continue;
        for (const { name, version, state } of answer.value) {
          if (state === "READY") found.set(`${name}\n${version}`, { model: name, version });
        }
      }
      const [failed] = answers.filter((answer) => answer.status === "rejected");
      const nobodyAnswers = answers.every(({ status }) => status === "rejected");
      if (nobodyAnswers && failed !== undefined) throw failed.reason;
      return [...found.values()];
    },
    describe: (model, version) => describeOnAny(clients, model, version, timeoutMs),
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

async function describeOnAny(
  clients: readonly HttpClient[],
  model: string,
  version: string,
  timeoutMs: number,
): Promise<EngineModel> {
  const path = `/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;
  let reason: unknown;
  for (const client of clients) {
    try {
      const { body } = await ask(client, { method: "GET", path, timeoutMs });
      const described = decodeModelProperties(model, version, decodeMetadata(body).properties);
      if (described !== undefined) return { model, version, ...described };
      reason = notAnEngine();
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

async function ask(client: HttpClient, call: HttpCall): Promise<HttpAnswer> {
  const answer = await client.send(call);
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw toHttpError(answer);
}

function notAnEngine(): SluiceError {
  const fix = "list other servers' models in models.remote";
  return new SluiceError("unavailable", `An engine does not say what its model is; ${fix}.`);
}
