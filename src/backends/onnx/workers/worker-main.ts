import { parentPort } from "node:worker_threads";
import { loadRunner } from "../load-runner.ts";
import { hostRunner } from "./worker-host.ts";

if (parentPort !== null) hostRunner(parentPort, loadRunner);
