import type { GivenFeedback } from "../../../core/evidence/feedback-service.ts";
import type { InputLimits } from "../field-reader.ts";
import { FieldReader, nameOf } from "../field-reader.ts";

const FIELDS = ["request_id", "item", "label", "text", "text_pair"] as const;
const MAX_ID = 128;
const MAX_LABEL = 512;

/**
 * Reads the parsed body of `POST /v1/feedback`: `request_id` and `label`, and perhaps `item`, `text` and `text_pair`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeFeedback(body: unknown, limits: InputLimits): Omit<GivenFeedback, "by"> {
  const read = new FieldReader(body);
  const { fields } = read;
  read.refuseUnknown(FIELDS);
  const given = {
    requestId: read.text("request_id", fields["request_id"], short(MAX_ID)),
    label: read.text("label", fields["label"], short(MAX_LABEL)),
    item: readItem(read, fields["item"]),
    text: read.optionalText("text", fields["text"], limits),
    pair: read.optionalText("text_pair", fields["text_pair"], limits),
  };
  if (given.pair !== undefined && given.text === undefined) {
    read.report("text", "is missing, and text_pair is there; send both or none");
  }
  read.assertNoProblems();
  return given;
}

function short(maxTextCharacters: number): InputLimits {
  return { maxTextCharacters, maxTextsPerRequest: 1 };
}

function readItem(read: FieldReader, value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31) {
    return Number(value);
  }
  const found = nameOf(value);
  read.report("item", `must be the position of a text in the request, from 0; found ${found}`);
  return 0;
}
