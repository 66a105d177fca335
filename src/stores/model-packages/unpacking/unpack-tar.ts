import { extract } from "tar";
import { SluiceError } from "../../../core/errors.ts";
import { createPackageError } from "../package-files.ts";
import { EntryCheck } from "./entry-check.ts";

/** Names of POSIX and GNU for what we take; the rest is refused by its own name. */
const KINDS: Readonly<Record<string, string>> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "folder",
  GNUDumpDir: "folder",
};
/** Weights hardly shrink; zeros shrink a thousand times. */
const MAX_RATIO = 1000;

/** See `unpackArchive`. */
export async function unpackTar(archive: string, target: string, maxBytes: number): Promise<void> {
  const check = new EntryCheck(maxBytes);
  let refused: SluiceError | undefined;
  try {
    await extract({
      file: archive,
      cwd: target,
      strict: true,
      preserveOwner: false,
      noMtime: true,
      noChmod: true,
      maxDecompressionRatio: MAX_RATIO,
      filter: (path, entry) => {
        if (!("type" in entry)) return false;
        const { type, size } = entry;
        refused ??= check.findProblem(path, KINDS[type] ?? type, size);
        return refused === undefined;
      },
    });
  } catch (thrown) {
    if (refused !== undefined) throw refused;
    if (thrown instanceof SluiceError) throw thrown;
    throw describeBroken(thrown);
  }
  if (refused !== undefined) throw refused;
}

/** What the library says names paths of this machine; its code does not. */
function describeBroken(thrown: unknown): unknown {
  const names = thrown as { readonly code?: unknown; readonly tarCode?: unknown };
  const code = String(names.tarCode ?? names.code ?? "");
  if (!code.startsWith("TAR_") && !code.startsWith("Z_")) return thrown;
  return createPackageError(
    `The archive is broken, or is no tar or ZIP archive (${code}).`,
    thrown,
  );
}
