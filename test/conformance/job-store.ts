import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODEL_DEFAULTS } from "../../src/core/inference/request.ts";
import { createJobId } from "../../src/core/jobs/job-id.ts";
import type { JobChunkStore, JobStore, NewJob } from "../../src/core/ports/job-store.ts";

/** Two handles on the same data, as two processes have them. */
export interface JobStoresUnderTest {
  readonly first: { readonly jobs: JobStore; readonly chunks: JobChunkStore };
  readonly second: { readonly jobs: JobStore; readonly chunks: JobChunkStore };
  close(): Promise<void>;
}

/** What every driver of jobs and their chunks must do. */
export function describeJobStore(name: string, open: () => Promise<JobStoresUnderTest>): void {
  describe(`job store: ${name}`, () => {
    let stores: JobStoresUnderTest;
    let count = 0;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    const toNew = (more: Partial<NewJob> = {}): NewJob => {
      count++;
      const random = new Uint8Array(16).fill(count % 32);
      random[15] = Math.floor(count / 32);
      return {
        id: createJobId(1_700_000_000_000 + count, random),
        owner: "key:a",
        request: { model: "m", version: undefined, options: MODEL_DEFAULTS, webhookUrl: undefined },
        idempotencyKey: undefined,
        createdAtMs: 1_700_000_000_000 + count,
        expiresAtMs: 1_700_000_100_000,
        ...more,
      };
    };
    /** A job that is running, with chunks of ten rows. */
    const start = async (chunks: number) => {
      const { jobs, chunks: store } = stores.first;
      const { job } = await jobs.create(toNew());
      for (let index = 0; index < chunks; index++) {
        await store.add(job.id, { index, firstRow: index * 10, rows: 10, input: `rows ${index}` });
      }
      await jobs.transition(job.id, ["receiving"], { to: "queued", inputDigest: "d" });
      await jobs.transition(job.id, ["queued"], { to: "running", startedAtMs: 5 });
      return job.id;
    };

    test("a job comes back as it was stored, for every handle", async () => {
      const asked = toNew({
        idempotencyKey: "k1",
        request: {
          ...{ model: undefined, version: "1.0.0", webhookUrl: "https://example.com" },
          options: { topK: 0, functionToApply: "sigmoid", abstainBelow: 0.5 },
        },
      });
      const { job, isNew } = await stores.first.jobs.create(asked);
      expect(isNew).toBe(true);
      expect(job).toMatchObject({ ...asked, state: "receiving", totalRows: 0, round: 0 });
      expect(await stores.second.jobs.find(asked.id)).toEqual(job);
      expect(await stores.second.jobs.find("job_none")).toBeUndefined();
    });

    test("one key of one owner is one job, whoever comes first", async () => {
      const key = { idempotencyKey: "k2" };
      const created = await Promise.all(
        [stores.first, stores.second, stores.first, stores.second].map(({ jobs }) =>
          jobs.create(toNew(key)),
        ),
      );
      expect(created.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(new Set(created.map(({ job }) => job.id)).size).toBe(1);
      const other = await stores.first.jobs.create(toNew({ ...key, owner: "key:b" }));
      expect(other.isNew).toBe(true);
    });

    test("jobs without a key are all new", async () => {
      expect((await stores.first.jobs.create(toNew())).isNew).toBe(true);
      expect((await stores.first.jobs.create(toNew())).isNew).toBe(true);
    });

    test("a change of state happens once, and only from a state that it may happen in", async () => {
      const id = await start(1);
      const change = { to: "cancelled", finishedAtMs: 9, expiresAtMs: 10 } as const;
      const both = await Promise.all([
        stores.first.jobs.transition(id, ["queued", "running"], change),
        stores.second.jobs.transition(id, ["queued", "running"], change),
      ]);
      expect(both.filter((job) => job !== undefined)).toHaveLength(1);
      expect(await stores.first.jobs.find(id)).toMatchObject({
        ...{ state: "cancelled", startedAtMs: 5, finishedAtMs: 9, expiresAtMs: 10 },
        ...{ inputDigest: "d", failure: undefined },
      });
      expect(await stores.first.jobs.transition("job_none", ["queued"], change)).toBeUndefined();
    });

    test("a list goes from the newest to the oldest, page by page", async () => {
      const owner = "key:lists";
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.unshift((await stores.first.jobs.create(toNew({ owner }))).job.id);
      }
      const first = await stores.second.jobs.list({ owner, limit: 3 });
      const last = first.at(-1)?.id ?? "";
      const second = await stores.second.jobs.list({ owner, limit: 3, after: last });
      expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
      expect(await stores.first.jobs.list({ owner, states: ["queued"], limit: 3 })).toEqual([]);
    });

    test("what has expired can be found", async () => {
      const owner = "key:expiry";
      const { job } = await stores.first.jobs.create(toNew({ owner, expiresAtMs: 100 }));
      await stores.first.jobs.create(toNew({ owner, expiresAtMs: 101 }));
      const expired = await stores.first.jobs.list({ owner, expiredAtMs: 100, limit: 10 });
      expect(expired.map(({ id }) => id)).toEqual([job.id]);
    });

    test("chunks are added while rows come in, and counted", async () => {
      const { jobs, chunks } = stores.first;
      const { job } = await jobs.create(toNew());
      const input = 'zeile 1\n"日本" \\u0000 😀';
      expect(await chunks.add(job.id, { index: 0, firstRow: 0, rows: 3, input })).toBe(true);
      expect(await chunks.add(job.id, { index: 1, firstRow: 3, rows: 1, input: "" })).toBe(true);
      expect(await jobs.find(job.id)).toMatchObject({ totalRows: 4, chunks: 2, doneRows: 0 });
      expect(await stores.second.chunks.read(job.id, 0)).toEqual({
        ...{ index: 0, firstRow: 0, rows: 3, doneRound: -1, input, results: undefined },
      });
      await jobs.transition(job.id, ["receiving"], { to: "queued" });
      expect(await chunks.add(job.id, { index: 2, firstRow: 4, rows: 1, input })).toBe(false);
      expect(await chunks.read(job.id, 2)).toBeUndefined();
      expect(await chunks.add("job_none", { index: 0, firstRow: 0, rows: 1, input })).toBe(false);
    });

    test("a chunk is finished once, however many workers have done it", async () => {
      const id = await start(20);
      const tries = Array.from({ length: 20 }, (_, index) => index).flatMap((index) =>
        [stores.first, stores.second].map(({ chunks }) =>
          chunks.finish(id, { index, round: 0, results: `r${index}`, failedRows: index % 2 }),
        ),
      );
      const stored = await Promise.all(tries);
      expect(stored.filter(Boolean)).toHaveLength(20);
      expect(await stores.first.jobs.find(id)).toMatchObject({ doneRows: 200, failedRows: 10 });
      expect(await stores.first.chunks.listUnfinished(id, -1, 100)).toEqual([]);
      expect(await stores.first.chunks.read(id, 7)).toMatchObject({ results: "r7", doneRound: 0 });
    });

    test("results of a job that does not run, or of another round, are not stored", async () => {
      const id = await start(1);
      const result = { index: 0, round: 0, results: "r", failedRows: 0 };
      const { chunks, jobs } = stores.first;
      expect(await chunks.finish(id, { ...result, round: 1 })).toBe(false);
      expect(await chunks.finish(id, { ...result, index: 1 })).toBe(false);
      await jobs.transition(id, ["running"], { to: "cancelled" });
      expect(await chunks.finish(id, result)).toBe(false);
      expect(await chunks.read(id, 0)).toMatchObject({ results: undefined, doneRound: -1 });
      expect(await jobs.find(id)).toMatchObject({ doneRows: 0 });
    });

    test("unfinished chunks are listed by index, page by page", async () => {
      const id = await start(5);
      const { chunks } = stores.first;
      await chunks.finish(id, { index: 2, round: 0, results: "r", failedRows: 0 });
      const first = await chunks.listUnfinished(id, -1, 3);
      expect(first.map(({ index }) => index)).toEqual([0, 1, 3]);
      expect((await chunks.listUnfinished(id, 3, 3)).map(({ index }) => index)).toEqual([4]);
    });

    test("failed rows are opened again, and only theirs are counted anew", async () => {
      const id = await start(3);
      const { chunks, jobs } = stores.first;
      for (const [index, failedRows] of [0, 4, 10].entries()) {
        await chunks.finish(id, { index, round: 0, results: `first ${index}`, failedRows });
      }
      expect(await chunks.reopenFailed(id, 77)).toBeUndefined();
      await jobs.transition(id, ["running"], { to: "completed", finishedAtMs: 8 });
      const reopened = await chunks.reopenFailed(id, 77);
      expect(reopened).toMatchObject({
        ...{ state: "queued", round: 1, doneRows: 16, failedRows: 0 },
        ...{ finishedAtMs: undefined, expiresAtMs: 77 },
      });
      const open = await chunks.listUnfinished(id, -1, 10);
      expect(open.map(({ index }) => index)).toEqual([1, 2]);
      expect(await chunks.read(id, 1)).toMatchObject({ results: "first 1" });
      await jobs.transition(id, ["queued"], { to: "running" });
      await chunks.finish(id, { index: 1, round: 1, results: "second 1", failedRows: 1 });
      await chunks.finish(id, { index: 2, round: 1, results: "second 2", failedRows: 0 });
      expect(await jobs.find(id)).toMatchObject({ doneRows: 30, failedRows: 1 });
      expect(await chunks.listUnfinished(id, -1, 10)).toEqual([]);
    });

    test("a job is removed with its chunks", async () => {
      const id = await start(2);
      expect(await stores.first.jobs.remove(id)).toBe(true);
      expect(await stores.second.jobs.remove(id)).toBe(false);
      expect(await stores.second.chunks.read(id, 0)).toBeUndefined();
    });
  });
}
