import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** How often whoever holds a lock says so. */
const BEAT_MS = 1000;
/** A lock that was not renewed for so long was left by a process that is no more. */
const STALE_MS = 10_000;
/** The same, where its process is known to be gone from this machine. Another container may have the name of the machine. */
const DEAD_MS = 3 * BEAT_MS;
const LOOK_MS = 200;
/** Who holds a lock, as it stands in the file. */
const OWN = `${hostname()} ${process.pid}`;

/**
 * Does something that no other process may do at the same time, on this machine or another that shares the folder. The lock is
 * a file that its holder touches; one that was left behind is taken after `STALE_MS`.
 *
 * @param signal ends the wait for the lock
 */
export async function withFolderLock<Result>(
  path: string,
  signal: AbortSignal,
  act: () => Promise<Result>,
): Promise<Result> {
  while (!(await tryLock(path))) {
    signal.throwIfAborted();
    await removeIfStale(path);
    await sleep(LOOK_MS, undefined, { signal });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  try {
    return await act();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, OWN, { flag: "wx" });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return false;
    throw thrown;
  }
}

/** Two that find the same stale lock wait for different times, and the later one finds that it is another's by then. */
async function removeIfStale(path: string): Promise<void> {
  const seen = await stat(path).catch(() => undefined);
  if (seen === undefined || Date.now() - seen.mtimeMs < DEAD_MS) return;
  const patienceMs = (await isHolderGone(path)) ? DEAD_MS : STALE_MS;
  if (Date.now() - seen.mtimeMs < patienceMs) return;
  await sleep(Math.random() * LOOK_MS);
  const again = await stat(path).catch(() => undefined);
  if (again?.ino === seen.ino && again.mtimeMs === seen.mtimeMs) await rm(path, { force: true });
}

/** Whether the holder was a process of this machine that is no more; in a container, the one before has had our number. */
async function isHolderGone(path: string): Promise<boolean> {
  const holder = await readFile(path, "utf8").catch(() => "");
  if (holder === OWN) return true;
  const [host, pid] = holder.split(" ");
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH";
  }
}
