/** What a server is to fetch the rows of a job from. */
export interface SourceFields {
  readonly url: string;
  readonly format?: string | undefined;
  readonly text_column?: string | undefined;
  readonly id_column?: string | undefined;
}

/** What of the command's options is about the rows. */
export interface SourceOptions {
  readonly format?: string;
  readonly textColumn?: string;
  readonly idColumn?: string;
}

/**
 * The source that an argument of `sluice jobs submit` names when it is an address.
 *
 * @returns undefined when it is the name of a file
 */
export function toSource(argument: string, options: SourceOptions): SourceFields | undefined {
  if (!/^https?:\/\//i.test(argument)) return undefined;
  const { format, textColumn, idColumn } = options;
  return { url: argument, format, text_column: textColumn, id_column: idColumn };
}
