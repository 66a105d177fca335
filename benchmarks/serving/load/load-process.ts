import type { LoadBodies } from "./load-generator.ts";
import { runLoad } from "./load-generator.ts";
import type { LoadJob, LoadReport } from "./load-job.ts";

/**
 * The load generator as a process of its own: the server under test and the benchmark's own work must not share an
 * event loop with the clock that measures. Takes {@link LoadCommand} messages one at a time and answers each with a
 * {@link LoadAnswer}; ends when its parent does.
 */
export type LoadCommand =
  /** Bodies that later jobs refer to by name; sent once because they are many. */
  | ({ readonly kind: "bodies"; readonly name: string } & LoadBodies)
  | { readonly kind: "job"; readonly bodies: string; readonly job: LoadJob };

export type LoadAnswer =
  | { readonly ok: true; readonly report: LoadReport | undefined }
  | { readonly ok: false; readonly message: string };

const known = new Map<string, LoadBodies>();

async function execute(command: LoadCommand): Promise<LoadReport | undefined> {
  if (command.kind === "bodies") {
    known.set(command.name, command);
    return undefined;
  }
  return await runLoad(known.get(command.bodies) ?? { bodies: [] }, command.job);
}

process.on("message", (command: LoadCommand) => {
  execute(command).then(
    (report) => answer({ ok: true, report }),
    (error: unknown) => answer({ ok: false, message: String(error) }),
  );
});
process.on("disconnect", () => process.exit());

function answer(message: LoadAnswer): void {
  process.send?.(message);
}
