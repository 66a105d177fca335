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

/**
 * Lengths of the real texts in ids, measured: of the shortest, of the one that 5 % do not exceed, and so on to 95 %, and
 * last of the one that 99 % do not exceed.
 */
const LENGTHS = {
  sentences: [1, 8, 11, 13, 15, 17, 18, 20, 21, 23, 24, 26, 27, 29, 31, 33, 35, 37, 40, 45, 53],
  phrases: [1, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 28],
  comments: [1, 5, 6, 7, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 23, 24, 26, 28, 30, 32, 37],
  reviews: [
    22, 347, 434, 503, 553, 599, 641, 679, 718, 751, 799, 838, 878, 922, 970, 1017, 1049, 1073,
    1092, 1117, 1158,
  ],
} as const;

/** Words that mean nothing, one id each, in texts whose lengths are distributed as those of real ones. */
export function createSyntheticText(random: () => number, kind: keyof typeof LENGTHS): string {
  const lengths = LENGTHS[kind];
  const place = random() * (lengths.length - 1);
  const below = lengths[Math.floor(place)] ?? 1;
  const above = lengths[Math.ceil(place)] ?? below;
  const count = Math.round(below + (above - below) * (place % 1));
  return pick(WORDS, random, count).join(" ");
}

/** A line of Chinese characters of the given length. */
export function createSyntheticChinese(random: () => number, least: number, most: number): string {
  return pick(CHINESE, random, least + Math.floor(random() * (most - least + 1))).join("");
}

function pick(from: readonly string[], random: () => number, count: number): string[] {
  return Array.from({ length: count }, () => from[Math.floor(random() * from.length)] ?? "");
}
