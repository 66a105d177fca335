import { existsSync } from "node:fs";
import { Command } from "commander";
import { inspectRecords, migrateRecords, openRecordDatabase } from "../compose/records.ts";
import { loadSettings } from "./load-settings.ts";

/** `sluice migrate`: brings the schema of the record database up to this program. */
export function createMigrateCommand(): Command {
  return new Command("migrate")
    .description("Bring the database of records up to this program; servers do so when they start.")
    .option("--check", "only say what is missing; exit code 1 when something is")
    .action(async ({ check }: { check?: boolean }) => {
      const { config } = loadSettings([]);
      const { store } = config.records;
      if (check === true && store.driver === "sqlite" && !existsSync(store.path)) {
        process.stdout.write(`There is no ${store.path} yet; it is made when it is needed.\n`);
        return;
      }
      const database = await openRecordDatabase(config);
      try {
        process.stdout.write(`${database.description}\n`);
        if (check === true) {
          const { applied, missing } = await inspectRecords(database);
          for (const name of applied) process.stdout.write(`  ✓ ${name}\n`);
          for (const name of missing) process.stdout.write(`  · ${name} is missing\n`);
          if (missing.length > 0) process.exitCode = 1;
          return;
        }
        const applied = await migrateRecords(database, Date.now);
        for (const name of applied) process.stdout.write(`  ✓ ${name}\n`);
        if (applied.length === 0) process.stdout.write("  up to date\n");
      } finally {
        await database.close();
      }
    });
}
