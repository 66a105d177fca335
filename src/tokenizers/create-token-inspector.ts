import { SluiceError } from "../core/errors.ts";
import type { InspectedToken, TokenInspector } from "../core/ports/token-inspector.ts";
import type { Tokenizer } from "../core/ports/tokenizer.ts";
import { readSequenceTemplate } from "./sequence-template.ts";
import { isRecord, isTokenId } from "./tokenizer-file.ts";

/** What an inspector knows of a file. */
export interface InspectedFile {
  /** The parsed `tokenizer.json`. */
  readonly json: unknown;
  /** Reads a text of any length as one sequence. */
  readonly tokenizer: Tokenizer;
}

/**
 * Inspects the tokens of a `tokenizer.json`. A vocabulary with names takes several megabytes that no request for an
 * answer needs, so the file is opened when somebody first asks, and kept from then on. Where a token stands in its text
 * is not known: tokenizers here keep ids alone.
 */
export function createTokenInspector(open: () => Promise<InspectedFile>): TokenInspector {
  let opening: Promise<Inspection> | undefined;
  return {
    inspect: async (text) => {
      opening ??= open().then(toInspection);
      try {
        return (await opening)(text);
      } catch (cause) {
        // The next one may find the file again.
        opening = undefined;
        if (cause instanceof SluiceError) throw cause;
        throw new SluiceError("unavailable", "The tokenizer's file cannot be read.", { cause });
      }
    },
  };
}

type Inspection = (text: string) => readonly InspectedToken[];

function toInspection({ json, tokenizer }: InspectedFile): Inspection {
  const names = readTokenNames(json);
  const template = readSequenceTemplate(isRecord(json) ? json["post_processor"] : undefined);
  const { before, after } = template.single;
  return (text) => {
    const ids = tokenizer.encode(text).windows[0]?.ids ?? new Int32Array();
    const end = ids.length - after.length;
    return Array.from(ids, (id, index) => ({
      id,
      text: names.get(id) ?? "",
      special: index < before.length || index >= end,
      start: undefined,
      stop: undefined,
    }));
  };
}

/** Names by id: of `model.vocab`, an object of ids or a list whose places are the ids, and of `added_tokens`. */
function readTokenNames(json: unknown): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (!isRecord(json)) return names;
  const vocab = isRecord(json["model"]) ? json["model"]["vocab"] : undefined;
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) names.set(id, nameOf(entry));
  } else if (isRecord(vocab)) {
    for (const [name, id] of Object.entries(vocab)) if (isTokenId(id)) names.set(id, name);
  }
  const added = json["added_tokens"];
  for (const token of Array.isArray(added) ? (added as readonly unknown[]) : []) {
    if (!isRecord(token) || !isTokenId(token["id"])) continue;
    names.set(token["id"], String(token["content"]));
  }
  return names;
}

/** An entry of a list is a name with its score. */
function nameOf(entry: unknown): string {
  return Array.isArray(entry) && typeof entry[0] === "string" ? entry[0] : "";
}
