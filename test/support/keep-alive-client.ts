import { Agent, request } from "node:http";

export interface ClientAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly durationMs: number;
}

/** A client with one connection, kept open between requests as long as the server keeps it. */
export class KeepAliveClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(serverUrl: string) {
    this.#url = `${serverUrl}/classify`;
  }

  classify(body: unknown, headers: Record<string, string> = {}): Promise<ClientAnswer> {
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.#url,
        {
          method: "POST",
          agent: this.#agent,
          headers: { "content-type": "application/json", ...headers },
        },
        (incoming) => {
          let text = "";
          incoming.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          incoming.on("error", reject);
          incoming.on("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: text,
              durationMs: performance.now() - startedMs,
            }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
