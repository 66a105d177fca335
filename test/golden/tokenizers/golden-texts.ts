import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { Tokenizer } from "../../../src/core/ports/tokenizer.ts";
import { readData } from "../../support/shared-data.ts";

/** How the hashes were made; make-golden.py has the same numbers. */
export const GOLDEN_WINDOWS = { maxTokens: 24, windows: { max: 3, overlapTokens: 6 } } as const;

interface SyntheticPlan {
  readonly seed: number;
  readonly count: number;
  readonly maxPieces: number;
  readonly blanks: readonly string[];
  readonly pools: readonly {
    readonly items?: readonly string[];
    readonly range?: readonly [first: number, last: number];
  }[];
}

interface Variant {
  readonly name: string;
  readonly of: string;
  /** What stands in the file instead. */
  readonly parts: Readonly<Record<string, unknown>>;
}

interface Corpus {
  readonly file: string;
  readonly every: number;
}

/** A tokenizer file of this folder, or a variant of one. */
export function readGoldenBytes(name: string): Buffer {
  const variants: readonly Variant[] = JSON.parse(read("variants.json").toString());
  const variant = variants.find((one) => one.name === name);
  const bytes = read(`${variant?.of ?? name}.tokenizer.json`);
  if (variant === undefined) return bytes;
  return Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...variant.parts }));
}

/** The reference's hashes for the made-up texts or the lines of data sets, in the order of `hashTexts`. */
export function readGoldenHashes(name: string, source: "synthetic" | "data"): Uint32Array {
  const bytes = read(`${name}.${source}.bin`);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

/** Files of public data sets whose lines `readCorpora` gives. */
export function readCorpusNames(): readonly string[] {
  return readCorpusPlan().map(({ file }) => file);
}

export function readCorpora(): readonly string[] {
  return readCorpusPlan().flatMap(({ file, every }) =>
    readData(file)
      .split("\n")
      .filter((line) => line !== "")
      .filter((_, i) => i % every === 0),
  );
}

/** Made-up texts of all kinds, the same in every run and in make-golden.py. */
export function createSyntheticTexts(): readonly string[] {
  const plan: SyntheticPlan = JSON.parse(read("synthetic.json").toString());
  const below = createRandom(plan.seed);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const createPiece = (): string => {
    const { items = [], range } = pick(plan.pools);
    let text = "";
    if (range === undefined) text = pick(items);
    else {
      const [first, last] = range;
      const length = 1 + below(3);
      for (let i = 0; i < length; i++)
        text += String.fromCodePoint(first + below(last - first + 1));
    }
    return below(60) === 0 ? text.repeat(2 + below(120)) : text;
  };
  return Array.from({ length: plan.count }, () => {
    let text = "";
    for (let left = below(plan.maxPieces + 1); left > 0; left--) {
      text += createPiece();
      if (below(5) < 3) text += pick(plan.blanks);
    }
    return text;
  });
}

/** A tokenizer of everything, and one of few short windows. */
export interface GoldenTokenizers {
  readonly whole: Tokenizer;
  readonly cut: Tokenizer;
}

/** One hash for every text alone, whole and in windows; then for every second one together with the one after it. */
export function hashTexts({ whole, cut }: GoldenTokenizers, texts: readonly string[]): Uint32Array {
  const singles = texts.map((text) => {
    const numbers = [...(whole.encode(text).windows[0]?.ids ?? [])];
    const { windows, truncated } = cut.encode(text);
    for (const { ids } of windows) numbers.push(-1, ...ids);
    return hashNumbers([...numbers, truncated ? 1 : 0]);
  });
  const pairs = Array.from({ length: Math.floor(texts.length / 2) }, (_, i) => {
    const { windows, truncated } = cut.encode(texts[2 * i] ?? "", texts[2 * i + 1] ?? "");
    const { ids, secondStart } = windows[0] ?? { ids: [], secondStart: 0 };
    return hashNumbers([...ids, -1, secondStart, truncated ? 1 : 0]);
  });
  return Uint32Array.from([...singles, ...pairs]);
}

function readCorpusPlan(): readonly Corpus[] {
  return JSON.parse(read("corpora.json").toString());
}

function read(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}

/** Xorshift with 32 bits (George Marsaglia, 2003). */
function createRandom(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % end;
  };
}

/** FNV-1a in 32 bits over whole numbers instead of bytes. */
function hashNumbers(numbers: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193);
  return hash >>> 0;
}
