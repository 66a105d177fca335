import { createFileError, describe, isRecord, isTokenId } from "./tokenizer-file.ts";

/** The ids that a model expects around the text or the two texts it reads. */
export interface SequenceTemplate {
  readonly single: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly pair: {
    readonly before: readonly number[];
    readonly between: readonly number[];
    readonly after: readonly number[];
    /** How many ids of `between` belong to the first text; undefined for models that do not tell the two apart. */
    readonly firstOfBetween: number | undefined;
  };
}

const NOTHING: SequenceTemplate = {
  single: { before: [], after: [] },
  pair: { before: [], between: [], after: [], firstOfBetween: 0 },
};

/** Part of a template: a text, or a special token. */
type Piece =
  | { readonly text: "A" | "B"; readonly type: number }
  | { readonly text: undefined; readonly type: number; readonly ids: readonly number[] };

/**
 * Reads `post_processor` of a `tokenizer.json`: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel (which
 * adds nothing), a Sequence with at most one of them that adds something, or null.
 *
 * @throws SluiceError for anything else, or for an order of texts or token types that a model's input cannot express
 */
export function readSequenceTemplate(postProcessor: unknown): SequenceTemplate {
  if (postProcessor === null || postProcessor === undefined) return NOTHING;
  if (!isRecord(postProcessor)) {
    throw createFileError(`post_processor must be an object, and is ${describe(postProcessor)}.`);
  }
  switch (postProcessor["type"]) {
    case "ByteLevel":
      return NOTHING;
    case "Sequence":
      return readSequence(postProcessor["processors"]);
    case "BertProcessing":
      return readFixed(postProcessor, false);
    case "RobertaProcessing":
      return readFixed(postProcessor, true);
    case "TemplateProcessing":
      return readTemplate(postProcessor);
    default:
      throw createFileError(
        "post_processor.type must be TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or Sequence.",
      );
  }
}

function readSequence(processors: unknown): SequenceTemplate {
  if (!Array.isArray(processors)) {
    throw createFileError("post_processor.processors must be an array.");
  }
  const templates = processors
    .map((processor: unknown) => readSequenceTemplate(processor))
    .filter((template) => template !== NOTHING);
  if (templates.length > 1) {
    throw createFileError("post_processor.processors has more than one that adds special tokens.");
  }
  return templates[0] ?? NOTHING;
}

/** `[CLS] A [SEP] B [SEP]`, or `<s> A </s></s> B </s>` without token types. */
function readFixed(processor: Readonly<Record<string, unknown>>, isRoberta: boolean) {
  const cls = readPairedId(processor["cls"], "cls");
  const sep = readPairedId(processor["sep"], "sep");
  return {
    single: { before: [cls], after: [sep] },
    pair: {
      before: [cls],
      between: isRoberta ? [sep, sep] : [sep],
      after: [sep],
      firstOfBetween: isRoberta ? undefined : 1,
    },
  };
}

function readPairedId(value: unknown, field: string): number {
  const id: unknown = Array.isArray(value) ? value[1] : undefined;
  if (isTokenId(id)) return id;
  throw createFileError(`post_processor.${field} must be a token and its id.`);
}

function readTemplate(processor: Readonly<Record<string, unknown>>): SequenceTemplate {
  const single = readPieces(processor, "single");
  const pair = readPieces(processor, "pair");
  const a = single.findIndex(({ text }) => text === "A");
  if (textsOf(single) !== "A" || single.some(({ type }) => type !== 0)) {
    throw createFileError("post_processor.single must have the text once, and token types of 0.");
  }
  const firstText = pair.findIndex(({ text }) => text === "A");
  const secondText = pair.findIndex(({ text }) => text === "B");
  if (textsOf(pair) !== "AB" || pair.some(({ type }) => type !== 0 && type !== 1)) {
    throw createFileError(
      "post_processor.pair must have both texts once, in order, and token types of 0 and 1.",
    );
  }
  const typed = pair.findIndex(({ type }) => type === 1);
  const isRising = typed < 0 || pair.slice(typed).every(({ type }) => type === 1);
  if (!isRising || (typed >= 0 && (typed <= firstText || typed > secondText))) {
    throw createFileError(
      "post_processor.pair must have token type 0 for the first text and 1 for the second.",
    );
  }
  return {
    single: { before: idsOf(single.slice(0, a)), after: idsOf(single.slice(a + 1)) },
    pair: {
      before: idsOf(pair.slice(0, firstText)),
      between: idsOf(pair.slice(firstText + 1, secondText)),
      after: idsOf(pair.slice(secondText + 1)),
      firstOfBetween: typed < 0 ? undefined : idsOf(pair.slice(firstText + 1, typed)).length,
    },
  };
}

function readPieces(
  processor: Readonly<Record<string, unknown>>,
  field: "single" | "pair",
): readonly Piece[] {
  const pieces = processor[field];
  if (!Array.isArray(pieces)) throw createFileError(`post_processor.${field} must be an array.`);
  const special = processor["special_tokens"];
  return pieces.map((piece: unknown, i) => {
    const read = isRecord(piece) ? readPiece(piece, isRecord(special) ? special : {}) : undefined;
    if (read !== undefined) return read;
    throw createFileError(
      `post_processor.${field}[${i}] must be a Sequence A or B, or a SpecialToken that post_processor.special_tokens has ids for.`,
    );
  });
}

function readPiece(
  piece: Readonly<Record<string, unknown>>,
  special: Readonly<Record<string, unknown>>,
): Piece | undefined {
  const { Sequence: sequence, SpecialToken: token } = piece;
  if (isRecord(sequence)) {
    const { id, type_id: type } = sequence;
    return (id === "A" || id === "B") && isTokenId(type) ? { text: id, type } : undefined;
  }
  if (!isRecord(token) || typeof token["id"] !== "string" || !isTokenId(token["type_id"])) {
    return undefined;
  }
  const entry = Object.hasOwn(special, token["id"]) ? special[token["id"]] : undefined;
  const ids = isRecord(entry) ? entry["ids"] : undefined;
  if (!Array.isArray(ids) || !ids.every(isTokenId)) return undefined;
  return { text: undefined, type: token["type_id"], ids };
}

function textsOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text ?? "").join("");
}

function idsOf(pieces: readonly Piece[]): readonly number[] {
  return pieces.flatMap((piece) => (piece.text === undefined ? piece.ids : []));
}

/** @throws SluiceError when the template adds an id that no token has */
export function assertKnownIds(
  { single, pair }: SequenceTemplate,
  isKnown: (id: number) => boolean,
): void {
  const ids = [single.before, single.after, pair.before, pair.between, pair.after].flat();
  const missing = ids.find((id) => !isKnown(id));
  if (missing !== undefined) {
    throw createFileError(`post_processor adds the id ${missing}, which no token has.`);
  }
}
