import { parentPort } from "node:worker_threads";
import { createTensorRunner } from "./tensor-runner.ts";
import { hostTensorRunner } from "./tensor-work.ts";

if (parentPort !== null) hostTensorRunner(parentPort, (spec) => createTensorRunner(spec));
