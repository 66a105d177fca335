/** A text with the label that people say is right. */
export interface LabelledText {
  readonly text: string;
  /** The second text of a pair; null for single texts. */
  readonly pair: string | null;
  readonly label: string;
}

/** A named set of labelled texts that versions are asked before they go live. */
export interface GateSet {
  readonly name: string;
  readonly size: number;
  /** When it was last replaced, milliseconds since 1970; another number is another set. */
  readonly updatedAtMs: number;
}

/** A text that somebody asked, masked, with what was answered. */
export interface KeptText {
  readonly requestId: string;
  /** Position in the request, from 0. */
  readonly item: number;
  readonly model: string;
  readonly version: string;
  readonly text: string;
  readonly pair: string | null;
  /** Best label; null when the model abstained. */
  readonly label: string | null;
  readonly answeredAtMs: number;
}

/** What somebody said about an answer. */
export interface Feedback {
  readonly requestId: string;
  readonly item: number;
  readonly model: string;
  readonly version: string;
  /** What the model had said; null when it abstained. */
  readonly predicted: string | null;
  /** What is right. */
  readonly label: string;
  /** Masked; null where it is not known. */
  readonly text: string | null;
  readonly pair: string | null;
  /** Id of the caller who said so. */
  readonly by: string;
  readonly answeredAtMs: number;
  readonly givenAtMs: number;
}

/** How often a version was right, of the answers that somebody said something about. */
export interface FeedbackCount {
  readonly version: string;
  readonly right: number;
  readonly wrong: number;
}

/** Which feedback is meant. */
export interface FeedbackRange {
  readonly model: string;
  /** Given at or after this time, milliseconds since 1970. */
  readonly sinceMs: number;
}

/**
 * Keeps what tells how good versions are: texts that were asked, what people said about answers, and sets of labelled texts.
 * What a settled call wrote survives the end of the process.
 *
 * Concurrency: calls may overlap freely, from any number of processes; every method is atomic.
 * Errors: SluiceError `unavailable` while the store cannot be reached.
 */
export interface EvidenceStore {
  /** Keeps texts; of each model only the newest `perModel`. One that is kept already (same request and item) stays as it is. */
  keepTexts(texts: readonly KeptText[], perModel: number): Promise<void>;
  findText(requestId: string, item: number): Promise<KeptText | undefined>;
  /** Newest first. @param limit ≥ 1 */
  listTexts(model: string, limit: number): Promise<readonly KeptText[]>;
  /** Replaces what was said about the same answer before. */
  giveFeedback(feedback: Feedback): Promise<void>;
  /** By version, in the order of `<`. */
  countFeedback(range: FeedbackRange): Promise<readonly FeedbackCount[]>;
  /** Feedback whose text is known, newest first. @param onlyWrong leaves out what the model had right */
  listLabelled(
    range: FeedbackRange,
    options: { readonly limit: number; readonly onlyWrong: boolean },
  ): Promise<readonly LabelledText[]>;
  /** Forgets feedback that was given before this time. @returns how many there were */
  forgetFeedback(beforeMs: number): Promise<number>;
  /** Makes a set, or replaces one of the same name as a whole. */
  putGateSet(name: string, texts: readonly LabelledText[], nowMs: number): Promise<GateSet>;
  findGateSet(name: string): Promise<GateSet | undefined>;
  /** By name. */
  listGateSets(): Promise<readonly GateSet[]>;
  /** In the order in which they were put; undefined when there is no such set. */
  readGateSet(name: string): Promise<readonly LabelledText[] | undefined>;
  /** @returns whether there was one */
  removeGateSet(name: string): Promise<boolean>;
}
