/** A text and what somebody says it is. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
}

/** A line of a data file that cannot be used. */
export interface BadRow {
  /** Line on which the row starts, from 1. */
  readonly line: number;
  readonly problem: string;
}
