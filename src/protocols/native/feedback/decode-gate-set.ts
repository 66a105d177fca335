import { SluiceError } from "../../../core/errors.ts";
import type { CollectRequest } from "../../../core/evidence/gate-service.ts";
import { GATE_SET_NAME, MAX_GATE_TEXTS } from "../../../core/evidence/gate-service.ts";
import type { LabelledText } from "../../../core/ports/evidence-store.ts";
import type { InputLimits } from "../field-reader.ts";
import { FieldReader, nameOf } from "../field-reader.ts";
import { readList } from "../releases/read-shape.ts";

const MAX_LABEL = 512;
const ITEM_FIELDS = ["text", "text_pair", "label"];
const COLLECT_FIELDS = ["model", "since", "limit", "only_wrong"] as const;
const DEFAULT_LIMIT = 1000;

/** Reads the name of a set in an address. @throws SluiceError `invalid_argument` */
export function decodeGateSetName(name: string): string {
  if (GATE_SET_NAME.test(name)) return name;
  const problem =
    "must begin with a small letter or a digit and hold at most 64 of these, dots, underscores and hyphens";
  throw new SluiceError("invalid_argument", `The name of a gate set ${problem}.`, {
    details: [{ field: "name", problem }],
  });
}

/**
 * Reads the parsed body of `PUT /v1/gate-sets/{name}`: `items` of `text`, `label` and perhaps `text_pair`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeGateSet(body: unknown, limits: InputLimits): readonly LabelledText[] {
  const read = new FieldReader(body);
  read.refuseUnknown(["items"]);
  const value = read.fields["items"];
  const items = readList(read, "items", value, (entry, path) =>
    readItem(read, entry, path, limits),
  );
  if (Array.isArray(value) && value.length === 0) read.report("items", "must not be empty");
  if (items.length > MAX_GATE_TEXTS) {
    read.report("items", `must hold at most ${MAX_GATE_TEXTS} texts; found ${items.length}`);
  }
  read.assertNoProblems();
  return items;
}

function readItem(
  read: FieldReader,
  entry: Readonly<Record<string, unknown>>,
  path: string,
  limits: InputLimits,
): LabelledText {
  for (const name of Object.keys(entry)) {
    if (ITEM_FIELDS.includes(name)) continue;
    const problem = `is not a field; known are ${ITEM_FIELDS.join(", ")}`;
    read.report(`${path}.${name.slice(0, 64)}`, problem);
  }
  const labels = { maxTextCharacters: MAX_LABEL, maxTextsPerRequest: 1 };
  return {
    text: read.text(`${path}.text`, entry["text"], limits),
    pair: read.optionalText(`${path}.text_pair`, entry["text_pair"], limits) ?? null,
    label: read.text(`${path}.label`, entry["label"], labels),
  };
}

/**
 * Reads the parsed body of `POST /v1/gate-sets/{name}/collect`: `model`, and perhaps `since` (RFC 3339), `limit` and `only_wrong`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeCollect(body: unknown): CollectRequest {
  const read = new FieldReader(body);
  const { fields } = read;
  read.refuseUnknown(COLLECT_FIELDS);
  const limit = fields["limit"] ?? DEFAULT_LIMIT;
  const isCount = Number.isSafeInteger(limit) && Number(limit) >= 1;
  if (!isCount || Number(limit) > MAX_GATE_TEXTS) {
    read.report("limit", `must be a whole number from 1 to ${MAX_GATE_TEXTS}`);
  }
  const onlyWrong = fields["only_wrong"] ?? false;
  if (typeof onlyWrong !== "boolean") {
    read.report("only_wrong", `must be true or false; found ${nameOf(onlyWrong)}`);
  }
  const request = {
    model: read.text("model", fields["model"], { maxTextCharacters: 128, maxTextsPerRequest: 1 }),
    sinceMs: decodeSince(read.optionalText("since", fields["since"]), read),
    ...{ limit: Number(limit), onlyWrong: onlyWrong === true },
  };
  read.assertNoProblems();
  return request;
}

/** Reads the query of `GET /v1/feedback`: `model`, and perhaps `since`. @throws SluiceError `invalid_argument` */
export function decodeFeedbackQuery(query: Readonly<Record<string, string>>): {
  readonly model: string;
  readonly sinceMs: number;
} {
  const read = new FieldReader(query);
  read.refuseUnknown(["model", "since"]);
  const { model, since } = query;
  const found = {
    model: read.text("model", model, { maxTextCharacters: 128, maxTextsPerRequest: 1 }),
    sinceMs: decodeSince(since, read),
  };
  read.assertNoProblems();
  return found;
}

/** Milliseconds since 1970; 0 = from the beginning. */
function decodeSince(text: string | undefined, read: FieldReader): number {
  if (text === undefined) return 0;
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  read.report("since", "must be a time such as 2026-01-31T12:00:00Z");
  return 0;
}
