import { describe, expect, test } from "vitest";
import { SluiceError } from "../errors.ts";
import type { TextTask } from "./manifest.ts";
import type { VersionStatus } from "./registry.ts";
import { resolveTask, wakeTask } from "./resolve-task.ts";
import type { ServingVersion } from "./serving-version.ts";

interface Given {
  readonly model: string;
  /** A model of tensors has none. */
  readonly task: TextTask | undefined;
  readonly isReady?: boolean;
}

/** As much of a registry as is asked here; every model has one version. */
function registryOf(...models: readonly Given[]) {
  const statuses = models.map(({ model, task, isReady = true }): VersionStatus => {
    const manifest = { name: model, version: "1.0.0", task };
    return {
      model,
      version: "1.0.0",
      state: isReady ? "ready" : "loading",
      reason: undefined,
      isDefault: isReady,
      ...{ notice: undefined, versionLabels: [] },
      serving: task === undefined ? undefined : ({ manifest } as unknown as ServingVersion),
      tensors: undefined,
    };
  });
  return {
    list: () => statuses,
    resolveAny: (model: string) => {
      const status = statuses.find((one) => one.model === model);
      if (status === undefined) throw new SluiceError("not_found", `no ${model}`);
      if (status.state !== "ready") throw new SluiceError("unavailable", `${model} is loading`);
      return status;
    },
  };
}

const REGISTRY = registryOf(
  { model: "a-tensors", task: undefined },
  { model: "b-vectors", task: "embedding" },
  { model: "c-vectors", task: "embedding" },
  { model: "d-labels", task: "classification" },
);

function resolve(task: TextTask, model?: string, defaultModel = "d-labels", registry = REGISTRY) {
  return resolveTask(registry, { tasks: [task], model, defaultModel }).manifest.name;
}

describe("a request that names no model", () => {
  test("is answered by the default model when that does the task", () => {
    expect(resolve("classification")).toBe("d-labels");
    expect(resolve("embedding", undefined, "c-vectors")).toBe("c-vectors");
  });

  test("is answered by the first model by name that does it otherwise", () => {
    expect(resolve("embedding")).toBe("b-vectors");
    expect(resolve("classification", undefined, "nobody")).toBe("d-labels");
  });

  test("is refused when no model does it, and put off while the default model may yet", () => {
    expect(() => resolve("scoring")).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        details: [expect.objectContaining({ field: "model" })],
      }),
    );
    const starting = registryOf({ model: "late", task: "scoring", isReady: false });
    expect(() => resolve("scoring", undefined, "late", starting)).toThrow(
      expect.objectContaining({ code: "unavailable" }),
    );
  });
});

describe("a request that names a model", () => {
  test("is answered by that one alone", () => {
    expect(resolve("embedding", "c-vectors")).toBe("c-vectors");
    for (const model of ["d-labels", "a-tensors"]) {
      expect(() => resolve("embedding", model)).toThrow(
        expect.objectContaining({ code: "invalid_argument" }),
      );
    }
    expect(() => resolve("embedding", "nobody")).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  });
});

describe("models that wait to be asked for", () => {
  const asleep = () => {
    const woken: string[] = [];
    const registry = {
      list: () => (woken.includes("b-vectors") ? REGISTRY : STILL_ASLEEP).list(),
      resolveAny: (model: string) =>
        (woken.includes("b-vectors") ? REGISTRY : STILL_ASLEEP).resolveAny(model),
      wake: (model: string) => {
        if (model !== "b-vectors") return undefined;
        woken.push(model);
        return Promise.resolve();
      },
    };
    return { registry, woken };
  };
  const STILL_ASLEEP = registryOf(
    { model: "b-vectors", task: undefined, isReady: false },
    { model: "d-labels", task: "classification" },
  );
  const wanted = (task: TextTask, model?: string) => ({
    tasks: [task],
    model,
    defaultModel: "d-labels",
  });

  test("are loaded when no other does the task, or they are named", async () => {
    for (const model of [undefined, "b-vectors"]) {
      const { registry, woken } = asleep();
      const { manifest } = await wakeTask(registry, wanted("embedding", model));
      expect(manifest.name).toBe("b-vectors");
      expect(woken).toEqual(["b-vectors"]);
    }
  });

  test("are left alone when another does the task", async () => {
    const { registry, woken } = asleep();
    expect((await wakeTask(registry, wanted("classification"))).manifest.name).toBe("d-labels");
    expect(woken).toEqual([]);
  });
});
