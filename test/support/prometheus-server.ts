import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { findFreePort } from "./free-port.ts";

/** A Prometheus on a port of its own. */
export interface PrometheusServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Why there can be no Prometheus here; undefined when there can. */
export function findPrometheusProblem(): string | undefined {
  return findProgram("prometheus") === undefined ? "no prometheus on this machine" : undefined;
}

/** @param scraped address of a server whose metrics it reads every second; undefined = it reads nobody's */
export async function startPrometheusServer(scraped?: string): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-prometheus-"));
  const port = await findFreePort();
  const config = join(folder, "prometheus.yml");
  const job = {
    ...{ job_name: "sluice", scrape_interval: "1s", scrape_timeout: "1s" },
    static_configs: [{ targets: [new URL(scraped ?? "http://none").host] }],
  };
  // JSON is YAML too.
  await writeFile(config, JSON.stringify({ scrape_configs: scraped === undefined ? [] : [job] }));
  const child = spawn(
    findProgram("prometheus") ?? "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const close = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  for (let look = 0; look < 200; look++) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) return { url, close };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await close();
  throw new Error("Prometheus did not start within ten seconds.");
}
