import { integer, list, number, section } from "./setting.ts";

/** What callers say about answers, and which texts are kept. */
export const feedbackSettings = section(
  "Feedback: what callers say about answers, and texts that are kept to judge new versions by.",
  {
    rememberedRequests: integer({
      default: 10_000,
      minimum: 0,
      maximum: 10_000_000,
      description:
        "Requests whose labels each process remembers, without their texts, so that `POST /v1/feedback` can say what was right; 0 remembers none. 10,000 take about 4 MB.",
    }),
    sampleRate: number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description:
        "Share of the requests whose texts are kept in the record database, with personal data masked. Releases replay them when hardly anybody asks, and feedback about them makes gate sets. 0 keeps none.",
    }),
    keptTexts: integer({
      default: 2000,
      minimum: 1,
      maximum: 1_000_000,
      description: "Texts that are kept of each model; the oldest go first.",
    }),
    keepDays: integer({
      default: 90,
      minimum: 1,
      maximum: 3650,
      description: "How long feedback is kept, in days.",
    }),
    keys: list(
      { type: "string", minLength: 1 },
      {
        maxItems: 1000,
        description:
          "Ids of the API keys that may give feedback and change gate sets. With none, the default, every caller may.",
      },
    ),
  },
);
