/** One instruction of a Dockerfile. */
export interface DockerInstruction {
  /** In capitals, such as `COPY`. */
  readonly name: string;
  /** Words such as `--from=packages`, by name without hyphens. */
  readonly flags: Readonly<Record<string, string>>;
  /** What comes after the flags, in one line. */
  readonly text: string;
  /** Which FROM it comes after, from 0; -1 before the first. */
  readonly stage: number;
}

/** Reads a Dockerfile: comments, lines that go on, flags. Format: Dockerfile reference of Docker, without here-documents. */
export function parseDockerfile(source: string): readonly DockerInstruction[] {
  const lines = source.split("\n").filter((line) => !/^\s*#/.test(line));
  const joined = lines.join("\n").replace(/\\\n/g, " ");
  const instructions: DockerInstruction[] = [];
  let stage = -1;
  for (const line of joined.split("\n").map((text) => text.trim())) {
    if (line === "") continue;
    const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (name.toUpperCase() === "FROM") stage++;
    const flags: Record<string, string> = {};
    let text = rest;
    for (;;) {
      const [all, flag, value] = /^--([a-z-]+)(?:=(\S+))?\s+/.exec(text) ?? [];
      if (all === undefined || flag === undefined) break;
      flags[flag] = value ?? "";
      text = text.slice(all.length);
    }
    instructions.push({ name: name.toUpperCase(), flags, text: text.replace(/\s+/g, " "), stage });
  }
  return instructions;
}

/** `KEY=value` and `KEY="some value"` of an ENV, LABEL or ARG. */
export function parsePairs(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S*))/g)];
  return Object.fromEntries(pairs.map(([, key, quoted, plain]) => [key, quoted ?? plain]));
}
