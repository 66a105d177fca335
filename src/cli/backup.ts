import { Command } from "commander";
import { backupRecords, restoreRecords } from "../compose/records.ts";
import { loadSettings } from "./load-settings.ts";

/** `sluice backup`: a copy of the record database, while servers use it. */
export function createBackupCommand(): Command {
  return new Command("backup")
    .description("Copy the database of records to a file, while servers use it.")
    .argument("<file>", "where the copy goes; must not exist")
    .action(async (file: string) => {
      const bytes = await backupRecords(loadSettings([]).config, file);
      process.stdout.write(`${file}: ${bytes} bytes, checked\n`);
    });
}

/** `sluice restore`: a backup in the place of the record database. */
export function createRestoreCommand(): Command {
  return new Command("restore")
    .description("Put a backup in the place of the database of records; servers must be stopped.")
    .argument("<file>", "a file that 'sluice backup' made")
    .option("--force", "replace the database that is there")
    .action(async (file: string, { force }: { force?: boolean }) => {
      const path = await restoreRecords(loadSettings([]).config, file, force === true);
      process.stdout.write(`${path} is what ${file} holds\n`);
    });
}
