import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SluiceError } from "../../core/errors.ts";

/** What a text says, or that it says neither. */
export type Sentiment = "negative" | "positive" | "neutral";

/** A text of one of the data sets. */
export interface SourcedText {
  readonly text: string;
  readonly sentiment: Sentiment;
  /** Name of the data set, as in `SENTIMENT_SOURCES`. */
  readonly source: string;
  /** The part of the data set, where parts are treated apart (a product, a split). */
  readonly part: string;
}

/** Reads files of the data folder and remembers them for the record of what a model was trained on. */
export interface DataFolder {
  readText(path: string): Promise<string>;
  listFiles(folder: string): Promise<string[]>;
}

/**
 * @param onRead is told every file's path inside the folder and its bytes.
 */
export function createDataFolder(
  root: string,
  onRead: (path: string, bytes: Uint8Array) => void,
): DataFolder {
  const attempt = async <Result>(path: string, action: () => Promise<Result>) => {
    try {
      return await action();
    } catch (cause) {
      throw new SluiceError(
        "not_found",
        `The data folder has no ${path}. Name the folder that holds the data sets with --data.`,
        { cause },
      );
    }
  };
  return {
    readText: (path) =>
      attempt(path, async () => {
        const bytes = await readFile(join(root, path));
        onRead(path, bytes);
        const plain = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
        return new TextDecoder().decode(plain);
      }),
    listFiles: (folder) => attempt(folder, async () => (await readdir(join(root, folder))).sort()),
  };
}

/** The lines of a file without their ends; blank lines stay, so that an index is a line number. */
export async function readLines(data: DataFolder, path: string): Promise<string[]> {
  return (await data.readText(path)).split(/\r?\n/);
}
