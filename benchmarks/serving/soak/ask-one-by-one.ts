import { toBody } from "../corpus/corpus.ts";
import { toAnswerMark } from "../load/answer-mark.ts";
import type { ServerProcess } from "../servers/server-process.ts";

/** Requests and what their answers must be. */
export interface KnownAnswers {
  readonly bodies: readonly string[];
  readonly marks: readonly string[];
}

/**
 * Asks for each text while nothing else is asked, so that it runs alone. Texts that the server refuses, empty ones say,
 * are left out.
 *
 * @throws Error when no text gets an answer
 */
export async function askOneByOne(
  { host, port }: Pick<ServerProcess, "host" | "port">,
  texts: readonly string[],
): Promise<KnownAnswers> {
  const bodies: string[] = [];
  const marks: string[] = [];
  for (const body of texts.map(toBody)) {
    const response = await fetch(`http://${host}:${port}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) continue;
    bodies.push(body);
    marks.push(toAnswerMark(answer));
  }
  if (bodies.length === 0) throw new Error("The server answers none of the texts.");
  return { bodies, marks };
}
