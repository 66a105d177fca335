import type { Generated } from "kysely";

/** Rows of the record database, as they are in SQLite and in PostgreSQL. Times are milliseconds since the Unix epoch. */
export interface RecordTables {
  readonly jobs: JobsTable;
  readonly job_chunks: JobChunksTable;
  readonly work_messages: WorkMessagesTable;
  readonly events: EventsTable;
  readonly deliveries: DeliveriesTable;
  readonly releases: ReleasesTable;
  readonly release_changes: ReleaseChangesTable;
  readonly release_events: ReleaseEventsTable;
  readonly release_commands: ReleaseCommandsTable;
  readonly release_observations: ReleaseObservationsTable;
  readonly leases: LeasesTable;
  readonly kept_texts: KeptTextsTable;
  readonly feedback: FeedbackTable;
  readonly gate_sets: GateSetsTable;
  readonly gate_texts: GateTextsTable;
  readonly model_choices: ModelChoicesTable;
  readonly choice_changes: ReleaseChangesTable;
  readonly sluice_migrations: MigrationsTable;
}

export interface JobsTable {
  id: string;
  state: string;
  owner: string;
  /** JSON of `JobRequest`. */
  request: string;
  idempotency_key: string | null;
  input_digest: string | null;
  total_rows: number;
  done_rows: number;
  failed_rows: number;
  chunks: number;
  round: number;
  created_at_ms: number;
  started_at_ms: number | null;
  finished_at_ms: number | null;
  expires_at_ms: number;
  failure: string | null;
}

export interface JobChunksTable {
  job_id: string;
  /** From 0. */
  position: number;
  first_row: number;
  row_count: number;
  input: string;
  results: string | null;
  /** Of the results that it has. */
  failed_rows: number;
  /** -1 while there are no results. */
  done_round: number;
}

export interface WorkMessagesTable {
  /** Counts up; the order within a lane. */
  sequence: Generated<number>;
  id: string;
  lane: string;
  body: string;
  /** `waiting`, `done` (remembered for a while) or `dead`; a lease is a `visible_at_ms` in the future. */
  state: string;
  attempts: number;
  /** Names the lease, so that only who has it can settle it. */
  lease: string | null;
  /** When it may be handed out (again). */
  visible_at_ms: number;
  reason: string | null;
  changed_at_ms: number;
}

export interface EventsTable {
  id: string;
  /** JSON of `CloudEvent`. */
  event: string;
  created_at_ms: number;
}

export interface DeliveriesTable {
  /** Counts up; the order within a destination. */
  sequence: Generated<number>;
  event_id: string;
  destination: string;
  /** `waiting`, `delivered` (remembered for a while) or `failed`; a lease is a `visible_at_ms` in the future. */
  state: string;
  /** Names the lease, too: only who has the latest attempt can put the delivery back or give it up. */
  attempts: number;
  /** When it may be handed out (again). */
  visible_at_ms: number;
  reason: string | null;
  changed_at_ms: number;
}

export interface MigrationsTable {
  name: string;
  applied_at_ms: number;
}

export interface ReleasesTable {
  /** Counts up; the order in which they were started. */
  sequence: Generated<number>;
  id: string;
  model: string;
  /** The model while the release is open; null once it has ended. */
  open_model: string | null;
  revision: number;
  /** JSON of `ReleasePlan`. */
  plan: string;
  /** JSON of `ReleaseState`. */
  state: string;
  /** JSON of `Analysis`; null before the first check. */
  analysis: string | null;
}

/** One row. */
export interface ReleaseChangesTable {
  name: string;
  /** Changes so far. */
  changes: number;
}

export interface ReleaseEventsTable {
  sequence: Generated<number>;
  release_id: string;
  /** JSON of `ReleaseEvent`. */
  event: string;
}

export interface ReleaseCommandsTable {
  sequence: Generated<number>;
  id: string;
  release_id: string;
  /** JSON of `ReleaseCommand`. */
  command: string;
}

export interface ReleaseObservationsTable {
  release_id: string;
  replica: string;
  window_ms: number;
  /** JSON of `Observation`, as is `candidate`. */
  stable: string;
  candidate: string;
}

export interface LeasesTable {
  name: string;
  holder: string;
  until_ms: number;
}

export interface KeptTextsTable {
  /** Counts up; the order in which they were kept. */
  sequence: Generated<number>;
  request_id: string;
  item: number;
  model: string;
  /** JSON of `KeptText`. */
  kept: string;
}

export interface FeedbackTable {
  request_id: string;
  item: number;
  model: string;
  version: string;
  /** 1 or 0, as is `has_text`. */
  is_right: number;
  has_text: number;
  /** JSON of `Feedback`. */
  feedback: string;
  given_at_ms: number;
}

export interface GateSetsTable {
  name: string;
  size: number;
  updated_at_ms: number;
}

export interface GateTextsTable {
  gate_set: string;
  /** From 0. */
  position: number;
  /** JSON of `LabelledText`. */
  labelled: string;
}

export interface ModelChoicesTable {
  model: string;
  /** JSON of `ModelChoice`. */
  choice: string;
}
