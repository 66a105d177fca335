import { jobsMigration } from "./0001-jobs.ts";
import { workQueueMigration } from "./0002-work-queue.ts";
import { eventOutboxMigration } from "./0003-event-outbox.ts";
import { releasesMigration } from "./0004-releases.ts";
import { evidenceMigration } from "./0005-evidence.ts";
import { modelChoicesMigration } from "./0006-model-choices.ts";
import type { Migration } from "./migration.ts";

/** All steps of the schema, in their order. */
export const MIGRATIONS: readonly Migration[] = [
  jobsMigration,
  workQueueMigration,
  eventOutboxMigration,
  releasesMigration,
  evidenceMigration,
  modelChoicesMigration,
];
