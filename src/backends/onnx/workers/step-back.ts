import { getPriority, setPriority } from "node:os";

/**
 * Lets others go first when all cores are busy: the server's own thread above all, which then still answers promptly.
 * Linux schedules threads, so this reaches only the calling one; elsewhere it would slow the whole process down.
 *
 * @param niceness 0..19
 */
export function stepBack(niceness: number): void {
  if (process.platform !== "linux") return;
  // Of a process that stands further back already, no thread may step forward.
  if (getPriority() < niceness) setPriority(niceness);
}
