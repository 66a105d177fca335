import { Command } from "commander";
import type { BackedUp } from "../compose/backup.ts";
import { backupStore, restoreStore } from "../compose/backup.ts";
import { loadSettings } from "./load-settings.ts";

interface Choice {
  readonly vectors?: boolean;
}

const VECTORS = ["--vectors", "the file of vectors instead of the database of records"] as const;

/** `sluice backup`: a copy of a store, while servers use it. */
export function createBackupCommand(): Command {
  return new Command("backup")
    .description("Copy the database of records to a file, while servers use it.")
    .argument("<file>", "where the copy goes; must not exist")
    .option(...VECTORS)
    .action(async (file: string, choice: Choice) => {
      const bytes = await backupStore(loadSettings([]).config, chosenBy(choice), file);
      process.stdout.write(`${file}: ${bytes} bytes, checked\n`);
    });
}

/** `sluice restore`: a backup in the place of the store. */
export function createRestoreCommand(): Command {
  return new Command("restore")
    .description("Put a backup in the place of the database of records; servers must be stopped.")
    .argument("<file>", "a file that 'sluice backup' made")
    .option(...VECTORS)
    .option("--force", "replace what is there")
    .action(async (file: string, { force, ...choice }: Choice & { force?: boolean }) => {
      const wanted = { file, force: force === true };
      const path = await restoreStore(loadSettings([]).config, chosenBy(choice), wanted);
      process.stdout.write(`${path} is what ${file} holds\n`);
    });
}

function chosenBy({ vectors }: Choice): BackedUp {
  return vectors === true ? "vectors" : "records";
}
