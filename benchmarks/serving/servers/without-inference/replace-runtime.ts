import { registerHooks } from "node:module";

/**
 * Preloaded with `--import`: lets the server find `free-runtime.ts` where it asks for the file that brings models to life.
 * All else is the server as it is, so the difference to it is what models cost.
 */
const REPLACED = /\/compose-models\.ts$/;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    if (!REPLACED.test(specifier)) return nextResolve(specifier, context);
    return nextResolve(new URL("free-runtime.ts", import.meta.url).href, context);
  },
});
