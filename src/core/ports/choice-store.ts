import type { ModelChoice, VersionChoices } from "../models/version-choices.ts";

/**
 * Keeps what people chose for models, durably and for all replicas.
 *
 * Concurrency: calls may overlap freely, from any number of processes; every method is atomic.
 * Errors: SluiceError `unavailable` while the store cannot be reached.
 */
export interface ChoiceStore {
  readAll(): Promise<VersionChoices>;
  /** A number that grows whenever anything is chosen; 0 before the first time. Cheap: it is read several times a second. */
  readRevision(): Promise<number>;
  /**
   * Changes what is chosen for one model. Changes of one model follow each other.
   *
   * @param change pure; may be called more than once
   * @returns what is chosen now
   */
  change(model: string, change: (before: ModelChoice) => ModelChoice): Promise<ModelChoice>;
}
