import { once } from "node:events";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answerClientError } from "./client-error.ts";

const HEADERS_TIMEOUT_MS = 100;
const REQUEST = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

let server: Server;
let client: Socket;
let received: string;

beforeEach(async () => {
  server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 20 },
    (_request, response) => {
      response.end("answered");
    },
  );
  server.on("clientError", answerClientError);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  received = "";
  client.on("data", (chunk) => {
    received += chunk.toString();
  });
  await once(server, "connection");
});
afterEach(() => {
  client.destroy();
  server.close();
  server.closeAllConnections();
});

test("a connection on which nothing is ever sent ends without an answer", async () => {
  await once(client, "close");
  expect(received).toBe("");
});

test("a head that does not end gets 408", async () => {
  client.write("GET / HTTP/1.1\r\nhost:");
  await once(client, "close");
  expect(received).toMatch(/^HTTP\/1.1 408 /);
});

test("a request that came in time is answered, although the process was too busy to read it", async () => {
  client.write(REQUEST);
  const untilMs = performance.now() + 3 * HEADERS_TIMEOUT_MS;
  while (performance.now() < untilMs);
  await once(client, "data");
  expect(received).toMatch(/^HTTP\/1.1 200 /);
});
