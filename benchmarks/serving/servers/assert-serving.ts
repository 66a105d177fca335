import { toBody } from "../corpus/corpus.ts";
import type { ServerProcess } from "./server-process.ts";

/**
 * Sends one request: measuring how fast a server refuses would look splendid.
 *
 * @throws Error with what the server answered
 */
export async function assertServing({
  host,
  port,
}: Pick<ServerProcess, "host" | "port">): Promise<void> {
  const response = await fetch(`http://${host}:${port}/classify`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: toBody("The food was wonderful and the staff were friendly."),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`The server answers ${response.status}: ${answer}`);
}
