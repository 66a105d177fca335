import fastify from "fastify";

/** The least that Fastify can do with the same requests: parse the body, send it back. What `/classify` is held against. */
const app = fastify();
app.post("/classify", async (request) => request.body);
const address = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`  address     ${address}\n`);
process.on("SIGTERM", () => process.exit());
