"""The Django example, installed and run as its README says: users, a checkout, a page that watches, webhooks."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from notifications.signing import Signer, new_secret
from tests.deploy.processes import ROOT, Process
from tests.support.ports import free_ports
from tests.support.waiting import eventually
from tests.web.demo import Demo

EXAMPLE = ROOT / "examples" / "django"
BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."
JWT_SECRET, SECRET_KEY, WEBHOOK_SECRET = secrets.token_hex(32), secrets.token_hex(32), new_secret()
UNREACHABLE = ("from versions: none", "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not os.environ.keys() & {"CI", "BUILDS"},
        reason="BUILDS=1 runs it: it installs Django in an environment of its own",
    ),
]


@dataclass
class Shop:
    """The example, running, and the server that it uses."""

    url: str
    server: str
    settings: dict[str, str]
    variables: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, token: str = "", at: str = "") -> tuple[int, Any]:
        connection = HTTPConnection(urlsplit(at or self.url).netloc, timeout=180)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith(("{", "[")) else text
        finally:
            connection.close()

    def user(self, name: str) -> dict[str, str]:
        """Sign somebody up; return SimpleJWT's two tokens."""
        user = {"username": name, "password": "long and secret enough"}
        assert self.ask("POST", "/api/users/", user)[0] == 201
        status, tokens = self.ask("POST", "/api/token/", user)
        assert status == 200
        return {"access": tokens["access"], "refresh": tokens["refresh"]}

    def account(self, token: str) -> tuple[int, Any]:
        return self.ask("GET", "/api/v1/account/", token=token, at=self.server)

    def buy(self, token: str) -> str:
        """Pay an order; return its path."""
        status, order = self.ask("POST", "/api/orders/", {}, token)
        assert status == 201
        path = f"/api/orders/{order['id']}/pay/"
        assert self.ask("POST", path, {}, token) == (200, {"balance": order["tokens"]})
        return path


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the interpreter of a new environment with what the example's requirements.txt names."""
    folder = tmp_path_factory.mktemp("django") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=300)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--requirement", str(EXAMPLE / "requirements.txt")]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=500)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index is too slow")
    if done.returncode and any(words in done.stderr for words in UNREACHABLE):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr[-4000:]
    return python


@pytest.fixture(scope="module")
def shop(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    settings = {
        "PROMPT_IDENTITY__JWT__ALGORITHM": "HS256",
        "PROMPT_IDENTITY__JWT__ACCOUNT_CLAIM": "user_id",
        "PROMPT_IDENTITY__JWT__REQUIRED_CLAIMS": '{"token_type": "access"}',
        "PROMPT_IDENTITY__JWT__SECRET": JWT_SECRET,
        "PROMPT_WEBHOOKS__SECRETS": WEBHOOK_SECRET,
        "PROMPT_WEBHOOKS__URL": f"{url}/webhooks/prompts/",
        "PROMPT_WEBHOOKS__INCLUDE_PROMPT": "true",
        "PROMPT_SERVER__CORS_ALLOWED_ORIGINS": url,
    }
    arguments = ["demo", "--port", "0", "--data", str(folder / "data"), "--gemini-delay-s", "0.3"]
    with Process(folder, arguments, settings) as process:
        demo = Demo(**process.start())  # type: ignore[arg-type]  # the ready file's pid is a number
        variables = {
            "SERVER": demo.url,
            "ADMIN_KEY": demo.admin_key(),
            "JWT_SECRET": JWT_SECRET,
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SECRET_KEY": SECRET_KEY,
            "DATABASE": str(folder / "db.sqlite3"),
        }
        environment = os.environ | variables
        manage = [python, "manage.py"]
        subprocess.run([*manage, "migrate", "--run-syncdb"], cwd=EXAMPLE, env=environment, check=True, timeout=300)
        with (folder / "django.log").open("wb") as log:
            served = subprocess.Popen(
                [*manage, "runserver", "--noreload", str(port)], cwd=EXAMPLE, env=environment, stdout=log, stderr=log
            )
        shop = Shop(url, demo.url, settings, variables)
        try:
            assert eventually(lambda: _answers(shop) or served.poll() is not None)
            assert served.poll() is None, (folder / "django.log").read_text()
            yield shop
        finally:
            served.terminate()
            served.wait(60)


def _answers(shop: Shop) -> bool:
    try:
        return shop.ask("GET", "/")[0] == 200
    except OSError:
        return False


def test_an_order_that_is_paid_twice_is_granted_once(shop: Shop) -> None:
    token = shop.user("twice")["access"]
    assert shop.account(token)[1]["tokens_granted"] == 0
    path = shop.buy(token)
    assert shop.ask("POST", path, {}, token)[0] == 200
    assert shop.account(token)[1]["tokens_granted"] == 50_000


def test_nobody_pays_or_reads_anothers(shop: Shop) -> None:
    mine, others = shop.user("mine")["access"], shop.user("others")["access"]
    _, order = shop.ask("POST", "/api/orders/", {}, mine)
    assert shop.ask("POST", f"/api/orders/{order['id']}/pay/", {}, others)[0] == 404
    assert shop.ask("POST", "/api/orders/", {})[0] == 401
    assert shop.ask("GET", "/api/generations/")[0] == 401


def test_the_server_takes_an_access_token_and_no_refresh_token(shop: Shop) -> None:
    tokens = shop.user("refresh")
    assert shop.account(tokens["access"])[0] == 200
    assert shop.account(tokens["refresh"])[0] == 401


def test_what_django_submits_is_watched_with_a_watch_token_and_marked_done_by_a_webhook(shop: Shop) -> None:
    token = shop.user("watcher")["access"]
    shop.buy(token)
    status, started = shop.ask("POST", "/api/generations/", {"manual_prompt": BAKERY}, token)
    assert status == 202
    assert started["watch_token"].startswith("pw_")
    path = f"/api/v1/web-knowledge/generate-prompt-async/status/{started['task_id']}/"

    def document() -> Any:
        return shop.ask("GET", f"{path}?wait=5", token=started["watch_token"], at=shop.server)[1]

    assert eventually(lambda: bool(document()["status"] == "completed"))
    final = document()
    assert "+49 30 1234567" in final["prompt"]

    def row() -> Any:
        [only] = shop.ask("GET", "/api/generations/", token=token)[1]
        return only

    assert eventually(lambda: bool(row()["status"] != "running"))
    told = {"status": "completed", "prompt": final["prompt"], "tokens_used": final["tokens_used"]}
    assert row() == {"id": started["id"]} | told
    assert shop.account(token)[1]["tokens_charged"] == final["tokens_used"]


def test_a_generation_without_tokens_fails_and_the_webhook_says_so(shop: Shop) -> None:
    token = shop.user("poor")["access"]
    assert shop.ask("POST", "/api/generations/", {"manual_prompt": " "}, token)[0] == 400
    assert shop.ask("POST", "/api/generations/", {"manual_prompt": BAKERY}, token)[0] == 202
    assert eventually(lambda: bool(shop.ask("GET", "/api/generations/", token=token)[1][0]["status"] == "failed"))


def deliver(shop: Shop, headers: dict[str, str], body: bytes) -> int:
    connection = HTTPConnection(urlsplit(shop.url).netloc, timeout=180)
    try:
        connection.request("POST", "/webhooks/prompts/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_webhook_counts_only_with_the_servers_signature_and_for_the_tasks_own_account(shop: Shop) -> None:
    token = shop.user("forged")["access"]
    shop.buy(token)
    slow = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"
    _, started = shop.ask("POST", "/api/generations/", {"manual_prompt": slow}, token)
    data = {"status": "failed", "tokens_used": 1, "metadata": {"generation": started["id"]}, "account_id": "another"}
    others = json.dumps({"type": "task.failed", "data": data}).encode()
    signed = Signer([WEBHOOK_SECRET]).headers("1", int(time.time()), others)
    for signature in ("", "nonsense", "v1,", "v1,short", f"v1,{'A' * 43}="):
        assert deliver(shop, signed | {"webhook-signature": signature}, others) == 401, signature
    assert deliver(shop, signed, others + b" ") == 401
    assert deliver(shop, signed, others) == 204
    [row] = shop.ask("GET", "/api/generations/", token=token)[1]
    assert row["tokens_used"] != 1
    cancel = f"/api/v1/web-knowledge/generate-prompt-async/cancel/{started['task_id']}/"
    assert shop.ask("POST", cancel, token=started["watch_token"], at=shop.server)[0] == 200
    assert eventually(lambda: bool(shop.ask("GET", "/api/generations/", token=token)[1][0]["status"] == "failed"))


def test_its_readme_sets_what_this_test_sets(shop: Shop) -> None:
    readme = (EXAMPLE / "README.md").read_text("utf-8")
    assert [name for name in (*shop.settings, *shop.variables) if f"{name}=" not in readme] == ["DATABASE"]


@pytest.mark.browser
def test_its_page_signs_up_buys_and_shows_the_prompt(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/")
    page.get_by_label("Name").fill("Jörg")
    page.get_by_label("Password").fill("long and secret enough")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("status")).to_have_text("Welcome.")
    page.reload()
    page.get_by_label("Name").fill("Jörg")
    page.get_by_label("Password").fill("long and secret enough")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_have_text("Welcome.")
    page.get_by_role("button", name="Buy tokens").click()
    expect(page.get_by_role("status")).to_have_text("You have 50000 tokens.")
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("#result")).to_contain_text("+49 30 1234567")
