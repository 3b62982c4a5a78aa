"""What the tests of web/ share: a running demo, Chromium, Node, and the packages that its tests install."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.web.demo import Account, Demo, running_demo
from tests.web.project import Project, make_project

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
OLDEST_NODE = 20
CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Two cores run Redis, the server, Chromium and the other tests: what takes a tenth of a second may take seconds.
PATIENCE_MS = 30_000


def absent(reason: str) -> None:
    """Skip on a laptop, fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def account(demo: Demo) -> Account:
    """An account that no other test has."""
    return demo.account()


@pytest.fixture(scope="session")
def node() -> str:
    """Return the path of a Node that is new enough."""
    path = shutil.which("node")
    if path is None:
        absent("Node is not installed")
    version = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        absent(f"Node {OLDEST_NODE} or later is needed, this is {version.strip()}")
    return str(path)


@pytest.fixture(scope="session")
def npm() -> str:
    path = shutil.which("npm")
    if path is None:
        absent("npm is not installed")
    return str(path)


@pytest.fixture(scope="session")
def node_modules(node: str, npm: str) -> Path:
    """Install the packages of web/package-lock.json, unless they are installed."""
    modules = WEB / "node_modules"
    lock = WEB / "package-lock.json"
    with (WEB / ".install.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # workers of pytest-xdist share the folder
        installed = modules / ".package-lock.json"
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return modules
        done = subprocess.run([npm, "ci"], cwd=WEB, capture_output=True, text=True)
        if done.returncode:
            absent(f"npm ci failed: {done.stderr[-2000:]}")
    return modules


@pytest.fixture(scope="session")
def project(node: str, npm: str, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("project"), node, npm)


@pytest.fixture(scope="session")
def apps(project: Project) -> Path:
    """Return the folder with the built pages of tests/web/apps."""
    return project.build_apps()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; downloads none. Its event loop would be in the way of other modules' tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        absent("Chromium is not installed")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


class Console:
    """The complaints of a page: uncaught errors, and refusals by the browser itself."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    @property
    def unexpected(self) -> list[str]:
        """Failed requests are reported by the browser as well; tests that cause them look at the page instead."""
        return [text for text in self.complaints if not text.startswith("Failed to load resource")]


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab in which no error may go uncaught, and no Content-Security-Policy may be broken."""
    page = context.new_page()
    console = Console(page)
    yield page
    assert console.unexpected == []
