import { toSluiceError } from "../core/errors.ts";
import type { ModelRegistry } from "../core/models/registry.ts";
import type { ChoiceStore } from "../core/ports/choice-store.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ReleaseFollower } from "./release-follower.ts";
import { startLooking } from "./release-follower.ts";

export interface ChoiceFollowerOptions {
  readonly store: ChoiceStore;
  readonly registry: ModelRegistry;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** From one look at the store to the next: within so long this process goes by what others chose. */
  readonly pollMs: number;
}

/** Has this process go by the pins and labels in the store. While that cannot be read, everything stays as it is. */
export function startChoiceFollower(options: ChoiceFollowerOptions): ReleaseFollower {
  const { store, registry, clock, logger, pollMs } = options;
  let revision = 0;
  let isDark = false;
  const lookOnce = async () => {
    try {
      const latest = await store.readRevision();
      if (latest !== revision) {
        registry.choose(await store.readAll());
        revision = latest;
      }
      if (isDark) logger.info("Pins and labels of versions can be read again.", {});
      isDark = false;
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      if (!isDark)
        logger.warn("Pins and labels cannot be read; versions answer as before.", { reason });
      isDark = true;
    }
  };
  return startLooking(lookOnce, { clock, pollMs });
}
