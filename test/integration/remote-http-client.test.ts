import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { HttpClient, HttpClientOptions } from "../../src/backends/remote/http-client.ts";
import { createHttpClient } from "../../src/backends/remote/http-client.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const tidyUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const tidyUp of tidyUps.splice(0).reverse()) await tidyUp();
});

async function start(
  handle: Parameters<typeof startScriptedHttpServer>[0],
): Promise<ScriptedHttpServer> {
  const server = await startScriptedHttpServer(handle);
  tidyUps.push(() => server.kill());
  return server;
}

function connect(baseUrl: string, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient({ baseUrl, ...options });
  tidyUps.push(() => client.close());
  return client;
}

const POST = { method: "POST", path: "/x", body: "hello", timeoutMs: 5_000 } as const;

test("the whole answer comes back, whatever its status, and the connection is kept", async () => {
  const server = await start((request, response, body) => {
    response.writeHead(409, { "x-seen": `${request.method} ${request.url}` });
    response.end(`${body}, ${request.headers["authorization"]}, ${request.headers["x-own"]}`);
  });
  const client = connect(`${server.url}/base/`, { headers: { authorization: "key" } });
  for (let i = 0; i < 3; i++) {
    const answer = await client.send({ ...POST, headers: { "x-own": "mine" } });
    expect(answer.status).toBe(409);
    expect(answer.headers["x-seen"]).toBe("POST /base/x");
    expect(answer.body.toString()).toBe("hello, key, mine");
  }
  expect(server.connections).toBe(1);
});

test("bytes go and come as they are", async () => {
  const server = await start((_request, response, body) => response.end(body));
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
  const { body } = await connect(server.url).send({ ...POST, body: bytes });
  expect(Buffer.compare(body, bytes)).toBe(0);
});

test("a connection that the server closed while it waited costs a new one, not the request", async () => {
  const server = await start((_request, response) => response.end("ok"));
  const client = connect(server.url);
  for (let i = 0; i < 20; i++) {
    await client.send(POST);
    // The client sends before it can have heard of the end.
    server.closeConnections();
    const { body } = await client.send(POST);
    expect(body.toString()).toBe("ok");
    server.closeConnections();
  }
});

test("a server that closes every connection it has used before is asked once more and no further", async () => {
  const server = createServer((socket) => {
    let seen = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      seen++;
      if (seen > 1) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  tidyUps.push(() => {
    server.close();
  });
  const address = server.address();
  const client = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  for (let i = 0; i < 5; i++) {
    const { status } = await client.send({ method: "GET", path: "/", timeoutMs: 5_000 });
    expect(status).toBe(200);
  }
});

test("nobody listening, an unknown host and a broken connection are unavailable", async () => {
  const server = await start((_request, response) => response.destroy());
  await expect(connect(server.url).send(POST)).rejects.toMatchObject({
    code: "unavailable",
    message: "The model's server could not be talked to: the connection broke.",
  });
  await server.kill();
  await expect(connect(server.url).send(POST)).rejects.toMatchObject({
    code: "unavailable",
    message: "The model's server could not be talked to: nothing listens there.",
  });
});

test("an answer that breaks off is unavailable", async () => {
  const server = await start((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half");
    setTimeout(() => response.destroy(), 20);
  });
  await expect(connect(server.url).send(POST)).rejects.toMatchObject({ code: "unavailable" });
});

test("something that is no HTTP server is unavailable", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("SSH-2.0-Sample\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  tidyUps.push(() => {
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  await expect(connect(url).send(POST)).rejects.toMatchObject({ code: "unavailable" });
});

test("a server that takes too long is given up, before and within its answer", async () => {
  const server = await start((request, response) => {
    if (request.url === "/half") response.write("half");
  });
  const client = connect(server.url);
  for (const path of ["/none", "/half"]) {
    const startedMs = performance.now();
    await expect(client.send({ ...POST, path, timeoutMs: 50 })).rejects.toMatchObject({
      code: "deadline_exceeded",
    });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  }
});

test("a request is given up when its signal is aborted, before it starts or while it runs", async () => {
  const server = await start(() => {});
  const client = connect(server.url);
  const controller = new AbortController();
  const running = client.send({ ...POST, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  const late = client.send({ ...POST, signal: controller.signal });
  await expect(late).rejects.toMatchObject({ code: "cancelled" });
  expect(server.requests).toBe(1);
});

test("an answer longer than allowed is refused, announced or not", async () => {
  const server = await start((request, response) => {
    const body = Buffer.alloc(2_000);
    if (request.url === "/announced") response.setHeader("content-length", body.length);
    else response.write(body.subarray(0, 10));
    response.end(request.url === "/announced" ? body : body.subarray(10));
  });
  const client = connect(server.url, { maxResponseBytes: 1_999 });
  for (const path of ["/announced", "/chunked"]) {
    await expect(client.send({ ...POST, path })).rejects.toMatchObject({ code: "model_failed" });
  }
  const roomy = connect(server.url, { maxResponseBytes: 2_000 });
  for (const path of ["/announced", "/chunked"]) {
    expect((await roomy.send({ ...POST, path })).body).toHaveLength(2_000);
  }
});

test("an address that is none is refused with the fix", () => {
  for (const baseUrl of ["localhost:8000", "ftp://x", ""]) {
    expect(() => createHttpClient({ baseUrl })).toThrow("must begin with http:// or https://");
  }
});
