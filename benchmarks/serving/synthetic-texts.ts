const WORDS = (
  "the a this that my our and but because with without for from about after before very really quite not never always " +
  "was is were are has had did does will would could food service staff room price battery screen phone story film actor " +
  "ending music camera quality delivery support manager driver book team place coffee morning night week friend family " +
  "good great wonderful excellent lovely perfect fine solid fast cheap bad awful terrible slow cold broken noisy rude " +
  "boring expensive disappointing arrived worked failed loved hated enjoyed recommend returned waited asked told found"
).split(" ");

const CHINESE = [
  ..."今天天气很好这家店服务非常差东西便宜我觉得不错他们态度太慢下次还会再来价格有点贵质量一般但是味道可以",
];

/** Sentences that mean nothing but have the lengths of real ones, for machines without the data sets. */
export function createSyntheticSentence(
  random: () => number,
  leastWords: number,
  mostWords: number,
): string {
  return pick(WORDS, random, leastWords, mostWords).join(" ");
}

/** A line of Chinese characters of the given length. */
export function createSyntheticChinese(random: () => number, least: number, most: number): string {
  return pick(CHINESE, random, least, most).join("");
}

function pick(
  from: readonly string[],
  random: () => number,
  least: number,
  most: number,
): string[] {
  const count = least + Math.floor(random() * (most - least + 1));
  return Array.from({ length: count }, () => from[Math.floor(random() * from.length)] ?? "");
}
