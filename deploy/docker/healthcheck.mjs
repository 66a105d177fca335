// Ends with 0 while the server in this container can be sent traffic, else with 1. Knows the ports by the environment;
// where the role or a port is set in a file or by a flag, HEALTHCHECK_URL names the address.
const env = process.env;
const ports = {
  engine: env.SLUICE_ENGINE_PORT ?? "8100",
  worker: env.SLUICE_WORKER_PORT ?? "8200",
};
const port =
  ports[env.SLUICE_ROLE] ?? env.SLUICE_PORT ?? env.SLUICE_SERVER_PORT ?? env.PORT ?? "8000";
const url = env.HEALTHCHECK_URL ?? `http://127.0.0.1:${port}/health/ready`;

try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4000) });
  process.exitCode = answer.ok ? 0 : 1;
  if (!answer.ok) console.error(`${url} answered ${answer.status}`);
} catch (error) {
  console.error(`${url} did not answer: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
