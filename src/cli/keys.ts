import { hash, randomBytes } from "node:crypto";
import { Command } from "commander";

/** `sluice keys create <id>`: makes an API key and what the configuration must hold about it. */
export function createKeysCommand(): Command {
  const create = new Command("create")
    .description("Make an API key. It is shown once; only its hash is kept.")
    .argument("<id>", "who the key is for, e.g. web-shop")
    .option("--expires-at <time>", "ISO date-time after which the key is refused")
    .action((id: string, options: { expiresAt?: string }) => {
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) {
        throw create.error(`error: "${id}" is not lower-case letters, digits and hyphens`);
      }
      if (options.expiresAt !== undefined && Number.isNaN(Date.parse(options.expiresAt))) {
        throw create.error(
          `error: "${options.expiresAt}" is not a date-time like 2027-01-31T00:00:00Z`,
        );
      }
      process.stdout.write(renderKey(id, options.expiresAt));
    });
  return new Command("keys").description("API keys.").addCommand(create);
}

function renderKey(id: string, expiresAt: string | undefined): string {
  const key = `slc_${randomBytes(32).toString("base64url")}`;
  const entry = [
    "auth:",
    "  keys:",
    `    - id: ${id}`,
    `      sha256: ${hash("sha256", key, "hex")}`,
    ...(expiresAt === undefined ? [] : [`      expiresAt: ${new Date(expiresAt).toISOString()}`]),
  ];
  return `Key for ${id}, shown this once:\n\n  ${key}\n\nAdd to sluice.yaml:\n\n${entry.join("\n")}\n`;
}
