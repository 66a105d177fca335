import type { Sentiment } from "./data-folder.ts";

/**
 * One sentiment from the groups of several emotions.
 *
 * @returns undefined when they contradict each other or say something that is neither for, against nor neutral.
 */
export function toSentiment(groups: ReadonlySet<string>): Sentiment | undefined {
  if (groups.size !== 1) return undefined;
  const [group] = groups;
  return group === "positive" || group === "negative" || group === "neutral" ? group : undefined;
}
