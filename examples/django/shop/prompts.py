"""Every request to the generation server. Each may be repeated: ids of ours say what is the same."""

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT_S = 10


class Refused(Exception):
    """The server's answer to what it will not do; the text is its sentence for the user."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


def create_account(user):
    """Make the user's account. Without a name: the server needs to know nobody's."""
    _post("admin/accounts/", settings.ADMIN_KEY, {"account_id": str(user.pk), "subscription_days": 30})


def grant(order):
    """Add the order's tokens to the balance of its user, once; return the balance after it."""
    told = _post(
        f"admin/accounts/{order.user_id}/grants/",
        settings.ADMIN_KEY,
        {"grant_id": f"order-{order.pk}", "tokens": order.tokens, "reason": "bought"},
    )
    return told["entry"]["balance"]


def submit(generation, manual_prompt, access_token):
    """Start the generation as its user, whose SimpleJWT token the server accepts; return (task id, watch token)."""
    told = _post(
        "web-knowledge/generate-prompt-async/",
        access_token,
        {"manual_prompt": manual_prompt, "metadata": {"generation": str(generation.pk)}, "watch_token": True},
        {"Idempotency-Key": str(generation.pk)},
    )
    return told["task_id"], told["watch_token"]


def _post(path, credential, body, headers=None):
    retries = Retry(3, backoff_factor=0.5, status_forcelist=[503], allowed_methods=None, raise_on_status=False)
    retries.respect_retry_after_header = False  # whoever asked waits for this
    with requests.Session() as session:
        session.mount(settings.SERVER, HTTPAdapter(max_retries=retries))
        headers = {"Authorization": f"Bearer {credential}"} | (headers or {})
        try:
            answer = session.post(f"{settings.SERVER}/api/v1/{path}", json=body, headers=headers, timeout=TIMEOUT_S)
            told = answer.json()
        except requests.RequestException as exc:
            raise Refused(503, "Please try again in a moment.") from exc
    if not answer.ok:
        raise Refused(answer.status_code, told["error"])
    return told
