import type { Transaction } from "kysely";
import { sql } from "kysely";
import type {
  EvidenceStore,
  Feedback,
  GateSet,
  KeptText,
  LabelledText,
} from "../../core/ports/evidence-store.ts";
import type { RecordDatabase } from "./record-database.ts";
import type { GateSetsTable, RecordTables } from "./tables.ts";

/** Rows that go into one statement: databases count its parameters. */
const ROWS_AT_ONCE = 500;

/** Evidence in the record database. Texts are kept as JSON, since columns of text do not take every character. */
export function createEvidenceStore(database: RecordDatabase): EvidenceStore {
  return {
    ...createTextMethods(database),
    ...createFeedbackMethods(database),
    ...createGateMethods(database),
  };
}

type TextMethods = Pick<EvidenceStore, "keepTexts" | "findText" | "listTexts">;

function createTextMethods({ db, transact }: RecordDatabase): TextMethods {
  return {
    keepTexts: async (texts, perModel) => {
      if (texts.length === 0) return;
      await transact(async (trx) => {
        for (const rows of inParts(texts.map(toKeptRow))) {
          await trx
            .insertInto("kept_texts")
            .values([...rows])
            .onConflict((conflict) => conflict.columns(["request_id", "item"]).doNothing())
            .execute();
        }
        for (const model of new Set(texts.map((text) => text.model))) {
          await dropOldTexts(trx, model, perModel);
        }
      });
    },
    findText: async (requestId, item) => {
      const row = await db
        .selectFrom("kept_texts")
        .select("kept")
        .where("request_id", "=", requestId)
        .where("item", "=", item)
        .executeTakeFirst();
      return row === undefined ? undefined : (JSON.parse(row.kept) as KeptText);
    },
    listTexts: async (model, limit) => {
      const rows = await db
        .selectFrom("kept_texts")
        .select("kept")
        .where("model", "=", model)
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(({ kept }) => JSON.parse(kept) as KeptText);
    },
  };
}

async function dropOldTexts(
  trx: Transaction<RecordTables>,
  model: string,
  perModel: number,
): Promise<void> {
  await trx
    .deleteFrom("kept_texts")
    .where("model", "=", model)
    .where("sequence", "<=", (eb) =>
      eb
        .selectFrom("kept_texts as newest")
        .select("newest.sequence")
        .where("newest.model", "=", model)
        .orderBy("newest.sequence", "desc")
        .offset(perModel)
        .limit(1),
    )
    .execute();
}

type FeedbackMethods = Pick<
  EvidenceStore,
  "giveFeedback" | "countFeedback" | "listLabelled" | "forgetFeedback"
>;

function createFeedbackMethods({ db }: RecordDatabase): FeedbackMethods {
  return {
    giveFeedback: async (feedback) => {
      const row = toFeedbackRow(feedback);
      await db
        .insertInto("feedback")
        .values(row)
        .onConflict((conflict) => conflict.columns(["request_id", "item"]).doUpdateSet(row))
        .execute();
    },
    countFeedback: async ({ model, sinceMs }) => {
      const rows = await db
        .selectFrom("feedback")
        .select([
          "version",
          (of) => of.fn.sum<number | string>("is_right").as("right"),
          (of) => of.fn.countAll<number | string>().as("all"),
        ])
        .where("model", "=", model)
        .where("given_at_ms", ">=", sinceMs)
        .groupBy("version")
        .execute();
      // Sums of PostgreSQL come as texts, since they may be larger than numbers are exact.
      return rows
        .map(({ version, right, all }) => ({
          ...{ version, right: Number(right) },
          wrong: Number(all) - Number(right),
        }))
        .sort((a, b) => (a.version < b.version ? -1 : 1));
    },
    listLabelled: async ({ model, sinceMs }, { limit, onlyWrong }) => {
      let query = db
        .selectFrom("feedback")
        .select("feedback")
        .where("model", "=", model)
        .where("given_at_ms", ">=", sinceMs)
        .where("has_text", "=", 1)
        .orderBy("given_at_ms", "desc")
        .orderBy("request_id")
        .orderBy("item")
        .limit(limit);
      if (onlyWrong) query = query.where("is_right", "=", 0);
      return (await query.execute()).map(({ feedback }) => toLabelled(JSON.parse(feedback)));
    },
    forgetFeedback: async (beforeMs) => {
      const { numDeletedRows } = await db
        .deleteFrom("feedback")
        .where("given_at_ms", "<", beforeMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

type GateMethods = Pick<
  EvidenceStore,
  "putGateSet" | "findGateSet" | "listGateSets" | "readGateSet" | "removeGateSet"
>;

function createGateMethods({ db, transact }: RecordDatabase): GateMethods {
  return {
    putGateSet: (name, texts, nowMs) =>
      transact(async (trx) => {
        const size = texts.length;
        const row = await trx
          .insertInto("gate_sets")
          .values({ name, size, updated_at_ms: nowMs })
          .onConflict((conflict) =>
            // Two within one millisecond are two sets all the same.
            conflict.column("name").doUpdateSet({
              size,
              updated_at_ms: sql`case when gate_sets.updated_at_ms >= ${nowMs} then gate_sets.updated_at_ms + 1 else ${nowMs} end`,
            }),
          )
          .returningAll()
          .executeTakeFirstOrThrow();
        await trx.deleteFrom("gate_texts").where("gate_set", "=", name).execute();
        const rows = texts.map(({ text, pair, label }, position) => ({
          ...{ gate_set: name, position },
          labelled: JSON.stringify({ text, pair, label }),
        }));
        for (const part of inParts(rows)) {
          await trx
            .insertInto("gate_texts")
            .values([...part])
            .execute();
        }
        return toGateSet(row);
      }),
    findGateSet: async (name) => {
      const row = await db
        .selectFrom("gate_sets")
        .selectAll()
        .where("name", "=", name)
        .executeTakeFirst();
      return row === undefined ? undefined : toGateSet(row);
    },
    listGateSets: async () => {
      const rows = await db.selectFrom("gate_sets").selectAll().execute();
      return rows.map(toGateSet).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    readGateSet: (name) =>
      transact(async (trx) => {
        const set = await trx
          .selectFrom("gate_sets")
          .select("size")
          .where("name", "=", name)
          .executeTakeFirst();
        if (set === undefined) return undefined;
        const rows = await trx
          .selectFrom("gate_texts")
          .select("labelled")
          .where("gate_set", "=", name)
          .orderBy("position")
          .execute();
        return rows.map(({ labelled }) => JSON.parse(labelled) as LabelledText);
      }),
    removeGateSet: (name) =>
      transact(async (trx) => {
        await trx.deleteFrom("gate_texts").where("gate_set", "=", name).execute();
        const { numDeletedRows } = await trx
          .deleteFrom("gate_sets")
          .where("name", "=", name)
          .executeTakeFirst();
        return numDeletedRows > 0n;
      }),
  };
}

function toKeptRow(text: KeptText) {
  const { requestId, item, model } = text;
  return { request_id: requestId, item, model, kept: JSON.stringify(text) };
}

function toFeedbackRow(feedback: Feedback) {
  const { requestId, item, model, version, predicted, label, text, givenAtMs } = feedback;
  return {
    ...{ request_id: requestId, item, model, version, given_at_ms: givenAtMs },
    is_right: predicted === label ? 1 : 0,
    has_text: text === null ? 0 : 1,
    feedback: JSON.stringify(feedback),
  };
}

function toLabelled({ text, pair, label }: Feedback): LabelledText {
  return { text: text ?? "", pair, label };
}

function toGateSet({ name, size, updated_at_ms: updatedAtMs }: GateSetsTable): GateSet {
  return { name, size, updatedAtMs };
}

function* inParts<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    yield rows.slice(from, from + ROWS_AT_ONCE);
  }
}
