import type { RowSources } from "../../core/ports/row-sources.ts";
import type { FetchOptions } from "./fetch-source.ts";
import { parseSourceUrl } from "./source-address.ts";

/** Rows from other servers over HTTP. What fetches them is loaded with the first. */
export function createRowSources(options: FetchOptions): RowSources {
  return {
    assertAllowed: (url) => {
      parseSourceUrl(url, options);
    },
    open: async (url, cancellation) => {
      const { fetchSource } = await import("./fetch-source.ts");
      return await fetchSource(url, options, cancellation);
    },
  };
}
