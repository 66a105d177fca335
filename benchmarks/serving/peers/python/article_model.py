"""The second process of the article's stack: a model service that speaks TensorFlow Serving's REST and batches.

Batches as the article describes: at most 128 texts, at most 100 ms of waiting, and a start as soon as 8 wait. Repaired:
every caller gets the row of its own text.
"""

import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel

from classifier import MAX_BATCH, Classifier

TRIGGER = min(8, MAX_BATCH)
MAX_WAIT_SECONDS = 0.1


class Instances(BaseModel):
    instances: list[str]


class Batcher:
    def __init__(self) -> None:
        self._classifier = Classifier()
        self._waiting: asyncio.Queue[tuple[str, asyncio.Future]] = asyncio.Queue()

    async def submit(self, text: str) -> list[float]:
        answer = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((text, answer))
        return await answer

    async def run(self) -> None:
        while True:
            batch = await self._gather()
            try:
                # In a thread: requests must be accepted while the model computes.
                rows = await asyncio.to_thread(self._classifier.predict, [text for text, _ in batch])
                for (_, answer), row in zip(batch, rows.tolist()):
                    if not answer.done():
                        answer.set_result(row)
            except Exception as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)

    async def _gather(self) -> list[tuple[str, asyncio.Future]]:
        batch = [await self._waiting.get()]
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        while len(batch) < MAX_BATCH:
            if not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
                continue
            remaining = deadline - asyncio.get_running_loop().time()
            if len(batch) >= TRIGGER or remaining <= 0:
                break
            try:
                batch.append(await asyncio.wait_for(self._waiting.get(), remaining))
            except TimeoutError:
                break
        return batch


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.batcher = Batcher()
    running = asyncio.create_task(app.state.batcher.run())
    yield
    running.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/models/text-classification:predict")
async def predict(body: Instances) -> dict:
    rows = await asyncio.gather(*(app.state.batcher.submit(text) for text in body.instances))
    return {"predictions": rows}


@app.get("/health")
async def health() -> dict:
    return {"status": "healthy"}
