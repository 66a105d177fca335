import { SluiceError } from "../../core/errors.ts";

/**
 * What is used of `@huggingface/tokenizers`. (Its own declarations import each other without file extensions, which
 * Node's rules do not resolve: everything would be `any`.)
 */
export interface Library {
  readonly BPE: new (model: Readonly<Record<string, unknown>>) => LibraryModel;
  readonly WordPiece: new (model: Readonly<Record<string, unknown>>) => LibraryModel;
  readonly SplitPreTokenizer: new (
    config: Readonly<Record<string, unknown>>,
  ) => { readonly pattern: RegExp | null };
}

/** Cuts words into tokens. */
export interface LibraryModel {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token: string | null | undefined;
  encode(words: readonly string[]): readonly string[];
}

/** @throws SluiceError when the package is not installed */
export async function importLibrary(): Promise<Library> {
  try {
    const library: unknown = await import("@huggingface/tokenizers");
    return library as Library;
  } catch (cause) {
    const message =
      "This tokenizer.json needs the package @huggingface/tokenizers; install it with: npm install @huggingface/tokenizers";
    throw new SluiceError("invalid_argument", message, { cause });
  }
}
