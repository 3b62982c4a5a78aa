"""The worker of the Django peer: the same stages, the same cache writes and the same call, in a Celery task.

It checks no balance, keeps no ledger and streams no text: all that is the server's alone. ``celery -A celery_worker``.
"""

import os
import threading
from datetime import UTC, datetime
from typing import Any

import requests
from celery import Celery
from django.core.cache import cache
from django_app import STATUS_TTL_S, cache_key

celery = Celery("bench", broker=os.environ["BENCH_BROKER_URL"], backend=os.environ["BENCH_BROKER_URL"])
celery.conf.broker_connection_retry_on_startup = True
GEMINI_URL = os.environ["BENCH_GEMINI_URL"] + "/v1beta/models/gemini-flash-latest:generateContent"
INSTRUCTION = (
    "You improve prompts. Rewrite the draft that the user sends as JSON into one clear prompt for an assistant. "
    "Keep its language, names, numbers, prices, addresses and dates exactly; invent none. Answer with the prompt alone."
)
_local = threading.local()


@celery.task
def generate_prompt(account_id: str, task_id: str, manual_prompt: str, created_at: str) -> None:
    def write(status: str, progress: int, message: str, **more: Any) -> None:
        document = {"status": status, "progress": progress, "message": message, "created_at": created_at} | more
        cache.set(cache_key(account_id, task_id), document, STATUS_TTL_S)

    write("processing", 10, "Initializing AI generation...")
    write("processing", 30, "Checking tokens...")
    write("processing", 50, "Generating enhanced prompt with AI...")
    write("processing", 70, "Waiting for AI response...")
    prompt = _ask(manual_prompt)
    write("processing", 90, "Finalizing...")
    completed_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    write(
        "completed",
        100,
        "Prompt generated successfully",
        prompt=prompt,
        generated_by_ai=True,
        completed_at=completed_at,
    )


def _ask(manual_prompt: str) -> str:
    body = {
        "systemInstruction": {"parts": [{"text": INSTRUCTION}]},
        "contents": [{"role": "user", "parts": [{"text": manual_prompt}]}],
    }
    answer = _session().post(GEMINI_URL, json=body, headers={"x-goog-api-key": "bench"}, timeout=60)
    answer.raise_for_status()
    return "".join(part.get("text", "") for part in answer.json()["candidates"][0]["content"]["parts"]).strip()


def _session() -> requests.Session:
    """One for each thread: a kept connection is what google-generativeai has too."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    session: requests.Session = _local.session
    return session
