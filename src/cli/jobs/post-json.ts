import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";

/**
 * Posts JSON and waits for the answer for as long as it takes. `fetch` would give up after five minutes, and a server that
 * fetches rows answers when it has all of them.
 *
 * Rejects with the system's error when the connection breaks.
 */
export function postJson(
  url: URL,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const post = url.protocol === "https:" ? requestHttps : requestHttp;
  const content = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = post(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": content.length,
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const { statusCode: status = 0 } = response;
      text(response).then((answer) => resolve(new Response(answer, { status })), reject);
    });
    request.end(content);
  });
}
