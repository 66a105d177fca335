import type { ModelManifest } from "../models/manifest.ts";

/** A verified model package: its manifest was checked and its files have the digests that the manifest states. */
export interface ModelPackage {
  readonly manifest: ModelManifest;
  /** Lower-case hex SHA-256 over every file that decides what the model answers. */
  readonly digest: string;
  /** Where the files are, in the driver's terms; a runtime factory of the same kind understands it. */
  readonly location: string;
  /** Where the model file is, in the same terms. */
  readonly modelPath: string;
  /** Size of the model file with the weights beside it, in bytes; 0 for what runs elsewhere. */
  readonly modelBytes: number;
  /** Where the file is that describes the tokenizer; undefined when the manifest describes it alone. */
  readonly tokenizerPath: string | undefined;
}

/** A package that was found and not yet looked into. */
export interface DiscoveredPackage {
  readonly model: string;
  readonly version: string;
  /**
   * Says what the package's files are just now, without reading them: another text when anything about them has changed.
   * Missing where versions never change.
   *
   * @throws SluiceError `unavailable` when they cannot be looked at
   */
  fingerprint?(): Promise<string>;
  /**
   * Brings the files here, as far as they are not here yet; missing where they lie already. Called before `verify`.
   *
   * @throws SluiceError `unavailable` when the place cannot be reached now, so that it is worth another try;
   * `invalid_argument` with the reason when what came is not what it should be
   */
  fetch?(): Promise<void>;
  /**
   * Reads and checks the package.
   *
   * @throws SluiceError `invalid_argument` with the reason: manifest wrong, file missing, digest differs.
   */
  verify(): Promise<ModelPackage>;
}

/** Where model packages come from. */
export interface ModelSource {
  readonly description: string;
  /**
   * Everything that looks like a package, in no particular order.
   *
   * @throws SluiceError `unavailable` when the source itself cannot be read.
   */
  list(): Promise<readonly DiscoveredPackage[]>;
  /** What is here of a source that is elsewhere, for when it cannot be read. Missing where nothing is kept. */
  listKept?(): Promise<readonly DiscoveredPackage[]>;
  /** Removes what is kept here and is in the source no more. Called when the source was listed and nothing of it serves. */
  tidy?(): Promise<void>;
  /** Calls off what is being fetched. */
  close?(): void;
}
