import { toSluiceError } from "../core/errors.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelSource } from "../core/ports/model-source.ts";

export interface ModelWatchOptions {
  readonly source: ModelSource;
  readonly control: Pick<ModelControl, "follow">;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** From the end of one look to the beginning of the next; > 0. */
  readonly intervalMs: number;
}

export interface ModelWatch {
  /** Settles after the first look, however it went. */
  readonly first: Promise<void>;
  /** Ends the watch; resolves when a look under way is over. */
  stop(): Promise<void>;
}

/**
 * Follows a source whose models come and go, such as engines that start, stop and load others. A source that cannot be
 * read changes nothing: what serves goes on serving, and the next look may succeed.
 *
 * The first look begins at once.
 */
export function watchModels(options: ModelWatchOptions): ModelWatch {
  const { source, control, clock, logger, intervalMs } = options;
  let stopped = false;
  let isDark = false;
  let cancel = () => {};
  const lookOnce = async () => {
    try {
      await control.follow(source);
      if (isDark) logger.info("Models on other servers can be seen again.", describe(source));
      isDark = false;
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      const fields = { ...describe(source), reason };
      // Once, and not again every other second.
      if (!isDark)
        logger.warn("Models on other servers cannot be seen; what serves goes on.", fields);
      isDark = true;
    }
    if (stopped) return;
    cancel = clock.setTimer(intervalMs, () => {
      look = lookOnce();
    });
  };
  let look = lookOnce();
  return {
    first: look,
    stop: async () => {
      stopped = true;
      cancel();
      await look;
    },
  };
}

function describe({ description }: ModelSource) {
  return { source: description };
}
