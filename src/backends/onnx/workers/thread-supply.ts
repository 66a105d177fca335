import { Worker } from "node:worker_threads";

const PROGRAM = new URL("./worker-main.ts", import.meta.url);

/** Starts a thread that waits for what to load. */
export function startThread(program: URL = PROGRAM): Worker {
  return new Worker(program, { name: "sluice-model" });
}

/** Where threads for models come from, one of them ahead of time. */
export interface ThreadSupply {
  /** The thread that was started ahead, for whoever comes first; a new one for everybody else. */
  take(): Worker;
  /** Ends the thread that was started ahead if nobody took it. `take` goes on to work. */
  close(): void;
}

/**
 * Starts a thread before it is known which model it will load: the time that it takes to come up passes while
 * configuration and packages are read.
 */
export function createThreadSupply(start: () => Worker = startThread): ThreadSupply {
  let spare: Worker | undefined = start();
  spare.unref();
  const forget = () => {
    spare = undefined;
  };
  // When a thread cannot even start, whoever needs the next one is told.
  spare.on("error", forget);
  spare.on("exit", forget);
  return {
    take() {
      const thread = spare;
      if (thread === undefined) return start();
      forget();
      thread.off("error", forget);
      thread.off("exit", forget);
      thread.ref();
      return thread;
    },
    close() {
      // It has loaded no model, so nothing of ONNX Runtime is interrupted.
      void spare?.terminate();
      forget();
    },
  };
}
