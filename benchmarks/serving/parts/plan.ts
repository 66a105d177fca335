/** How long each part of a run takes. */
export interface Plan {
  readonly rawMs: number;
  /** Of raw speed and of each closed loop; the best counts. */
  readonly repeats: number;
  readonly warmUpMs: number;
  readonly phaseMs: number;
  readonly openMs: number;
  /** Of each peer and corpus. Batches of 32 long texts take a second each, so it must be many of these. */
  readonly peerMs: number;
  /** Texts of each comparison of batch policies. */
  readonly policyTexts: number;
  /** Texts that are run alone and in batches. */
  readonly independenceTexts: number;
  readonly coldStarts: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** Connections of the closed loops. */
export const CONNECTIONS = { int8: [1, 8, 64, 256], fp32: [8, 64, 256] } as const;

/** Arrival rates of the open loop, as shares of the most that the server did in a closed loop. */
export const OPEN_SHARES = [0.2, 0.4, 0.6, 0.8, 0.9, 1, 1.2, 1.5, 3] as const;

/** Answers within this time are good ones, by kind of texts: about twice what a full server takes at the median. */
export const SLO_MS = { short: 100, mixed: 250 } as const;

export const FULL_PLAN: Plan = {
  rawMs: 2000,
  repeats: 2,
  warmUpMs: 1500,
  phaseMs: 5000,
  openMs: 4000,
  peerMs: 8000,
  policyTexts: 512,
  independenceTexts: 256,
  coldStarts: 5,
  rounds: 5,
  roundMs: 3000,
};

/** Everything once and briefly: shows that it works, and no more. */
export const QUICK_PLAN: Plan = {
  rawMs: 300,
  repeats: 1,
  warmUpMs: 300,
  phaseMs: 1000,
  openMs: 800,
  peerMs: 2000,
  policyTexts: 96,
  independenceTexts: 32,
  coldStarts: 2,
  rounds: 2,
  roundMs: 800,
};
