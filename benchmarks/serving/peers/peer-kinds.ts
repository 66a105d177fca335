import { toBody } from "../corpus/corpus.ts";

/** What a server said about a text. */
export interface PeerPrediction {
  readonly label: string;
  readonly confidence: number;
}

/** Ports that a peer may need; all are free when it starts. */
export interface PeerPorts {
  readonly http: number;
  readonly second: number;
  readonly third: number;
}

/** How a peer is run. Together never more threads of ONNX Runtime than there are cores. */
export interface PeerSetting {
  readonly workers: number;
  /** Of ONNX Runtime, in each worker. */
  readonly threads: number;
  /** Most texts of a batch; 1 switches batching off. */
  readonly maxBatch: number;
}

/** One process of a peer. */
export interface PeerProgram {
  /** `redis-server` from the system; all others from the environment's own programs. */
  readonly program: "redis-server" | "python" | "uvicorn" | "bentoml" | "mlserver";
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Files to write into the working folder before. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Another way to serve the same model. */
export interface PeerKind {
  /** Also the name of the file of its requirements. */
  readonly name: "article" | "litserve" | "bentoml" | "mlserver";
  readonly title: string;
  /** The largest batch that its guide or its own code proposes. */
  readonly maxBatch: number;
  /** Packages whose versions the report names. */
  readonly packages: readonly string[];
  readonly path: string;
  /** Answers 200 once the peer can serve. */
  readonly readyPath: string;
  readonly toBody: (text: string) => string;
  /** @throws TypeError when the answer has another form */
  readonly readPrediction: (answer: unknown, labels: readonly string[]) => PeerPrediction;
  /** In the order of starting. The last one answers at `ports.http`. */
  readonly programs: (ports: PeerPorts, setting: PeerSetting) => readonly PeerProgram[];
}

const LOOPBACK = "127.0.0.1";
/** The name of the model in the V2 protocol. */
const MODEL = "text-classification";

/**
 * The stack of the article that Sluice goes back to, repaired so that it works; and three servers that people use for
 * this. All programs are in `python/`, written for this benchmark.
 */
export const PEER_KINDS: readonly PeerKind[] = [
  {
    name: "article",
    title: "the article's stack (FastAPI, Redis, httpx, second process)",
    maxBatch: 128,
    packages: ["fastapi", "uvicorn", "httpx", "redis"],
    path: "/classify",
    readyPath: "/health",
    toBody,
    readPrediction: (answer) =>
      (answer as { predictions: PeerPrediction[] }).predictions[0] as PeerPrediction,
    programs: ({ http, second, third }, { workers }) => [
      {
        program: "redis-server",
        words: ["--port", `${third}`, "--bind", LOOPBACK, "--save", "", "--appendonly", "no"],
      },
      {
        program: "uvicorn",
        words: ["article_model:app", ...toUvicornWords(second), "--workers", `${workers}`],
      },
      {
        program: "uvicorn",
        words: ["article_gateway:app", ...toUvicornWords(http)],
        environment: {
          BENCH_MODEL_URL: `http://${LOOPBACK}:${second}`,
          BENCH_REDIS_URL: `redis://${LOOPBACK}:${third}`,
        },
      },
    ],
  },
  {
    name: "litserve",
    title: "LitServe",
    maxBatch: 32,
    packages: ["litserve", "fastapi", "uvicorn"],
    path: "/classify",
    readyPath: "/health",
    toBody,
    readPrediction: (answer) => answer as PeerPrediction,
    programs: ({ http }) => [
      { program: "python", words: ["litserve_server.py"], environment: { BENCH_PORT: `${http}` } },
    ],
  },
  {
    name: "bentoml",
    title: "BentoML",
    maxBatch: 32,
    packages: ["bentoml"],
    path: "/classify",
    readyPath: "/readyz",
    toBody: (text) => JSON.stringify({ texts: [text] }),
    readPrediction: (answer) => (answer as PeerPrediction[])[0] as PeerPrediction,
    programs: ({ http }) => [
      {
        program: "bentoml",
        words: [
          "serve",
          "bentoml_service:TextClassification",
          "--host",
          LOOPBACK,
          "--port",
          `${http}`,
        ],
        environment: { BENTOML_DO_NOT_TRACK: "True" },
      },
    ],
  },
  {
    name: "mlserver",
    title: "MLServer",
    maxBatch: 32,
    packages: ["mlserver", "fastapi", "uvicorn"],
    path: `/v2/models/${MODEL}/infer`,
    readyPath: `/v2/models/${MODEL}/ready`,
    toBody: (text) =>
      JSON.stringify({ inputs: [{ name: "text", shape: [1], datatype: "BYTES", data: [text] }] }),
    readPrediction: (answer, labels) => {
      const scores = (answer as { outputs: { data: number[] }[] }).outputs[0]?.data ?? [];
      const confidence = Math.max(...scores);
      return { label: labels[scores.indexOf(confidence)] ?? "", confidence };
    },
    programs: ({ http, second, third }, { workers, maxBatch }) => [
      {
        program: "mlserver",
        words: ["start", "."],
        files: {
          "settings.json": JSON.stringify({
            debug: false,
            host: LOOPBACK,
            http_port: http,
            grpc_port: second,
            metrics_port: third,
            // 0: in the server's own process.
            parallel_workers: workers > 1 ? workers : 0,
          }),
          "model-settings.json": JSON.stringify({
            name: MODEL,
            implementation: "mlserver_runtime.TextClassification",
            max_batch_size: maxBatch > 1 ? maxBatch : 0,
            max_batch_time: maxBatch > 1 ? 0.01 : 0,
          }),
        },
      },
    ],
  },
];

function toUvicornWords(port: number): readonly string[] {
  return ["--host", LOOPBACK, "--port", `${port}`, "--log-level", "warning"];
}
