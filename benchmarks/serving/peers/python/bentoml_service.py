"""BentoML with its adaptive batching."""

import os

import bentoml

from classifier import MAX_BATCH, Classifier, to_prediction

# Nothing may be refused for being late: throughput is what is measured.
MAX_LATENCY_MS = 60_000
BATCHING = {"batchable": True, "max_batch_size": MAX_BATCH, "max_latency_ms": MAX_LATENCY_MS} if MAX_BATCH > 1 else {}


@bentoml.service(workers=int(os.environ["BENCH_WORKERS"]), traffic={"timeout": 60})
class TextClassification:
    def __init__(self) -> None:
        self._classifier = Classifier()

    @bentoml.api(route="/classify", **BATCHING)
    def classify(self, texts: list[str]) -> list[dict]:
        return [to_prediction(row) for row in self._classifier.predict(texts)]
