import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { renderConfigJsonSchema, renderConfigurationReference } from "../src/config/reference.ts";
import { listEventSchemas } from "../src/core/events/event-schemas.ts";
import { renderErrorReference } from "./render-error-reference.ts";
import { renderEventReference, renderEventSchema } from "./render-event-reference.ts";

/**
 * Writes the reference pages that are made from the code. With `--check` it writes nothing and fails when a page is
 * out of date.
 */
const PAGES: Readonly<Record<string, () => string>> = {
  "docs/reference/configuration.md": renderConfigurationReference,
  "docs/reference/config.schema.json": renderConfigJsonSchema,
  "docs/reference/errors.md": renderErrorReference,
  "docs/reference/events.md": renderEventReference,
  ...Object.fromEntries(
    listEventSchemas().map((schema) => [
      `docs/reference/events/${schema.title}.json`,
      () => renderEventSchema(schema),
    ]),
  ),
};

const isCheck = process.argv.includes("--check");
for (const [path, render] of Object.entries(PAGES)) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const current = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  const wanted = render();
  if (current === wanted) continue;
  if (isCheck) {
    console.error(`${path} is out of date: run 'npm run generate'.`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, wanted);
    console.log(`wrote ${path}`);
  }
}
