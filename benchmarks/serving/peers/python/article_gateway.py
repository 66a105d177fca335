"""The first process of the article's stack: FastAPI in front, Redis for limit and cache, httpx to the model service.

Repaired: the limiter counts clients instead of request ids, the cache key is the same in every process and covers the
whole text, and one HTTP client is kept instead of one per request.
"""

import hashlib
import json
import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import redis.asyncio as redis
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

LABELS = os.environ["BENCH_LABELS"].split(",")
MODEL_SERVICE = os.environ["BENCH_MODEL_URL"]
PREDICT_URL = MODEL_SERVICE + "/v1/models/text-classification:predict"
CACHE_SECONDS = 300
WINDOW_SECONDS = 60
REQUESTS_PER_WINDOW = 1_000_000_000


class Text(BaseModel):
    text: str = Field(min_length=1, max_length=5000)


@asynccontextmanager
async def lifespan(app: FastAPI):
    limits = httpx.Limits(max_connections=1024, max_keepalive_connections=1024)
    app.state.http = httpx.AsyncClient(limits=limits, timeout=30)
    app.state.redis = redis.from_url(os.environ["BENCH_REDIS_URL"])
    yield
    await app.state.http.aclose()
    await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


@app.post("/classify")
async def classify(body: Text, request: Request) -> dict:
    started = time.perf_counter()
    store = app.state.redis
    await limit(store, request.client.host)
    key = "prediction:1.0.0:" + hashlib.sha256(body.text.encode()).hexdigest()
    cached = await store.get(key)
    if cached is None:
        answer = await app.state.http.post(PREDICT_URL, json={"instances": [body.text]})
        answer.raise_for_status()
        scores = answer.json()["predictions"][0]
        await store.setex(key, CACHE_SECONDS, json.dumps(scores))
    else:
        scores = json.loads(cached)
    best = max(range(len(scores)), key=scores.__getitem__)
    prediction = {
        "label": LABELS[best],
        "confidence": scores[best],
        "processing_time_ms": (time.perf_counter() - started) * 1000,
    }
    return {
        "predictions": [prediction],
        "request_id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
    }


async def limit(store: redis.Redis, client: str) -> None:
    key = f"limit:{client}:{int(time.time()) // WINDOW_SECONDS}"
    async with store.pipeline(transaction=False) as pipeline:
        count, _ = await pipeline.incr(key).expire(key, WINDOW_SECONDS).execute()
    if count > REQUESTS_PER_WINDOW:
        raise HTTPException(429, headers={"Retry-After": str(WINDOW_SECONDS)})


@app.get("/health")
async def health() -> dict:
    try:
        answer = await app.state.http.get(MODEL_SERVICE + "/health")
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise HTTPException(503, "The model service does not answer.") from error
    return {"status": "healthy", "model_service": "ready"}
