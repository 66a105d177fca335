"""LitServe with its batching: what waits is run together, up to the largest batch."""

import os

import litserve

from classifier import MAX_BATCH, Classifier, to_prediction

BATCH_SECONDS = 0.005


class ClassifierApi(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._classifier = Classifier()

    def decode_request(self, request: dict) -> str:
        return request["text"]

    def predict(self, texts):
        if MAX_BATCH == 1:
            return self._classifier.predict([texts])[0]
        return list(self._classifier.predict(texts))

    def encode_response(self, output) -> dict:
        return to_prediction(output)


if __name__ == "__main__":
    batching = {"max_batch_size": MAX_BATCH, "batch_timeout": BATCH_SECONDS} if MAX_BATCH > 1 else {}
    server = litserve.LitServer(
        ClassifierApi(api_path="/classify", **batching),
        accelerator="cpu",
        workers_per_device=int(os.environ["BENCH_WORKERS"]),
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        generate_client_file=False,
        num_api_servers=1,
        log_level="warning",
    )
