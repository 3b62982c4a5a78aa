"""Who waits may be notified: offered after a while, subscribed at the real server, shown by the real service worker.

Chromium has no push service without Google's, so two ends of the browser's own are put in by these tests, and nothing
of ours: `PushManager` hands out a subscription at the tests' push service, which receives and decrypts what the server
sends; and that very message is handed to the service worker as a push service would, by the DevTools' protocol.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from notifications.vapid import new_private_key, public_key
from tests.web.accessibility import violations
from tests.web.applications import open_application
from tests.web.demo import Account, Demo, running_demo
from tests.web.the_page import BAKERY, LONG, expect_phase, generate, open_page

pytest.importorskip("pywebpush", reason="pywebpush is an extra")
from tests.support.push_service import Browser, Push, PushService, serve_push_service

pytestmark = pytest.mark.browser

PRIVATE = new_private_key()
BUTTON = "Notify me when it is done"
OFF = "Turn off notifications"
NOTIFIED = "You will be notified when it is done, also if you close this page."
# What a browser that reaches a push service would do: one subscription, kept, made with the key that is given.
PUSH_MANAGER = """
(subscription) => {
  const made = () => JSON.parse(localStorage.getItem('subscription'));
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const shown = () => made() && {
    endpoint: made().endpoint, options: {applicationServerKey: bytes(made().key).buffer}, toJSON: () => subscription,
    unsubscribe: async () => { localStorage.removeItem('subscription'); return true; },
  };
  PushManager.prototype.getSubscription = async () => shown();
  PushManager.prototype.subscribe = async ({userVisibleOnly, applicationServerKey: key}) => {
    if (!userVisibleOnly) throw new Error('Chromium takes no other');
    localStorage.setItem('subscription', JSON.stringify({endpoint: subscription.endpoint, key}));
    return shown();
  };
}
"""


@dataclass(frozen=True)
class Pushing:
    """A push service whose loop runs in a thread: Playwright keeps this one's."""

    service: PushService
    loop: asyncio.AbstractEventLoop

    def has(self, count: int) -> list[Push]:
        return asyncio.run_coroutine_threadsafe(self.service.has(count), self.loop).result()


@contextmanager
def push_service_in_a_thread() -> Iterator[Pushing]:
    started, made = threading.Event(), []

    async def serve() -> None:
        ended = asyncio.Event()
        async with serve_push_service() as service:
            made.append((service, asyncio.get_running_loop(), ended))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    [(service, loop, ended)] = made
    yield Pushing(service, loop)
    loop.call_soon_threadsafe(ended.set)
    thread.join()


@pytest.fixture(scope="module")
def pushing() -> Iterator[Pushing]:
    with push_service_in_a_thread() as pushing:
        yield pushing


@pytest.fixture(scope="module")
def notifying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with keys for Web Push."""
    settings = {"PRIVATE_KEY": PRIVATE, "SUBJECT": "mailto:ops@example.com", "ALLOW_LOOPBACK": "true"}
    with running_demo(
        tmp_path_factory.mktemp("notifying"), **{f"PROMPT_WEB_PUSH__{name}": text for name, text in settings.items()}
    ) as demo:
        yield demo


@pytest.fixture
def account(notifying: Demo) -> Account:
    return notifying.account()


@pytest.fixture
def subscriber(pushing: Pushing, context: BrowserContext, request: pytest.FixtureRequest) -> Browser:
    """The browser, as its push service knows it; its user allows notifications."""
    browser = Browser(pushing.service, request.node.name)
    context.grant_permissions(["notifications"])
    context.add_init_script(f"({PUSH_MANAGER})({json.dumps(browser.subscription())})")
    return browser


def wait_on(page: Page, demo: Demo, account: Account) -> None:
    """Open the page, begin what takes long, and be somebody who has waited for five seconds."""
    page.clock.install()
    open_page(page, demo.url, account.api_key)
    generate(page, LONG)
    pass_time(page)


def pass_time(page: Page) -> None:
    expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    page.clock.fast_forward(5_000)


def at_the_server(demo: Demo, account: Account) -> list[str]:
    """The endpoints that the server would push to."""
    asked = Request(
        f"{demo.url}/api/v1/account/push-subscriptions/", headers={"Authorization": f"Bearer {account.api_key}"}
    )
    with urlopen(asked, timeout=180) as answer:
        return [kept["endpoint"] for kept in json.load(answer)["subscriptions"]]


def shown_notifications(page: Page) -> Any:
    return page.evaluate(
        "navigator.serviceWorker.ready.then((worker) => worker.getNotifications())"
        ".then((all) => all.map(({title, tag}) => ({title, tag})))"
    )


def deliver(context: BrowserContext, page: Page, origin: str, data: str) -> None:
    """Hand a message to the page's service worker, as a push service does."""
    session = context.new_cdp_session(page)
    found: list[Any] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    while not found:
        page.wait_for_timeout(50)
    push = {"origin": origin, "registrationId": found[0]["registrationId"], "data": data}
    session.send("ServiceWorker.deliverPushMessage", push)


def test_who_waits_is_offered_a_notification_and_gets_it_when_nobody_watches(
    page: Page,
    context: BrowserContext,
    notifying: Demo,
    account: Account,
    pushing: Pushing,
    subscriber: Browser,
    node_modules: Path,
) -> None:
    open_page(page, notifying.url, account.api_key)
    generate(page, LONG)
    offer = page.get_by_role("button", name=BUTTON)
    expect(offer).to_be_visible()
    assert violations(page, node_modules) == []
    offer.click()
    expect(page.locator("#notify-said")).to_have_text(NOTIFIED)
    expect(page.get_by_role("button", name=OFF)).to_be_focused()
    expect(offer).to_be_hidden()
    assert violations(page, node_modules) == []
    assert page.evaluate("JSON.parse(localStorage.getItem('subscription')).key") == public_key(PRIVATE)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(page, "failed")
    before = len(pushing.service.received)
    task_id = notifying.submit(account, BAKERY)
    message = subscriber.read(pushing.has(before + 1)[-1])
    assert message == {"title": "Your prompt is ready", "task_id": task_id, "status": "completed"}

    deliver(context, page, notifying.url, json.dumps(message))
    page.wait_for_function("navigator.serviceWorker.ready.then((w) => w.getNotifications()).then((all) => all.length)")
    assert shown_notifications(page) == [{"title": "Your prompt is ready", "tag": task_id}]


def test_a_click_on_it_leads_to_the_page(
    page: Page, context: BrowserContext, notifying: Demo, account: Account, subscriber: Browser
) -> None:
    """The worker gets a click's event here; what browsers let only real clicks do is noted instead."""
    wait_on(page, notifying, account)
    with context.expect_event("serviceworker") as starting:
        page.get_by_role("button", name=BUTTON).click()
    worker = starting.value
    expect(page.locator("#notify-said")).to_have_text(NOTIFIED)
    clicked = """async () => {
      const done = new Promise((resolve) => {
        WindowClient.prototype.focus = async function () { resolve(['focused', this.url]); };
        clients.openWindow = async (url) => { resolve(['opened', url]); };
      });
      await registration.showNotification('Your prompt is ready', {tag: 'one'});
      const [notification] = await registration.getNotifications({tag: 'one'});
      dispatchEvent(new NotificationEvent('notificationclick', {notification}));
      return done;
    }"""
    assert worker.evaluate(clicked) == ["focused", f"{notifying.url}/"]
    assert shown_notifications(page) == []
    page.goto(f"{notifying.url}/docs/")  # another page of the server is not the one
    assert worker.evaluate(clicked) == ["opened", f"{notifying.url}/"]


def test_who_is_notified_already_is_told_so_and_can_turn_it_off(
    page: Page, notifying: Demo, account: Account, subscriber: Browser
) -> None:
    wait_on(page, notifying, account)
    page.get_by_role("button", name=BUTTON).click()
    said = page.locator("#notify-said")
    expect(said).to_have_text(NOTIFIED)
    page.reload()
    pass_time(page)
    expect(said).to_have_text(NOTIFIED)
    expect(page.get_by_role("button", name=BUTTON)).to_be_hidden()
    off = page.get_by_role("button", name=OFF)
    page.route("**/push-subscriptions/", lambda route: route.abort())
    off.click()
    expect(said).to_have_text("That did not work. Please try again.")
    page.unroute("**/push-subscriptions/")
    assert len(at_the_server(notifying, account)) == 1
    off.click()
    expect(page.get_by_role("button", name=BUTTON)).to_be_focused()
    expect(said).to_be_empty()
    assert at_the_server(notifying, account) == []
    assert page.evaluate("localStorage.getItem('subscription')") is None
    page.reload()
    pass_time(page)
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()


def test_while_nothing_runs_the_account_panel_says_that_notifications_are_on_and_ends_them(
    page: Page, notifying: Demo, account: Account, subscriber: Browser, node_modules: Path
) -> None:
    wait_on(page, notifying, account)
    page.get_by_role("button", name=BUTTON).click()
    expect(page.locator("#notify-said")).to_have_text(NOTIFIED)
    here, said = page.locator("#notified-here"), page.locator("#notified-here-said")
    expect(here).to_be_hidden()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(page, "failed")
    expect(said).to_have_text("Notifications are on in this browser.")
    assert violations(page, node_modules) == []
    page.reload()
    expect(said).to_have_text("Notifications are on in this browser.")
    page.route("**/push-subscriptions/", lambda route: route.abort())
    here.get_by_role("button", name=OFF).click()
    expect(said).to_have_text("That did not work. Please try again.")
    page.unroute("**/push-subscriptions/")
    here.get_by_role("button", name=OFF).click()
    expect(said).to_have_text("Notifications are off in this browser.")
    expect(said).to_be_focused()
    assert at_the_server(notifying, account) == []
    with page.expect_response("**/push-subscriptions/"):
        page.reload()
    expect(page.locator("#balance")).not_to_be_empty()
    expect(here).to_be_hidden()


def test_what_goes_wrong_is_said_and_can_be_tried_again(
    page: Page, notifying: Demo, account: Account, subscriber: Browser
) -> None:
    wait_on(page, notifying, account)
    offer, said = page.get_by_role("button", name=BUTTON), page.locator("#notify-said")
    expect(offer).to_be_visible()
    page.route("**/push-subscriptions/", lambda route: route.abort())
    offer.click()
    expect(said).to_have_text("That did not work. Please try again.")
    page.unroute("**/push-subscriptions/")
    offer.click()
    expect(said).to_have_text(NOTIFIED)


def test_who_denies_it_is_told_so_and_not_asked_again(page: Page, notifying: Demo, account: Account) -> None:
    """Nobody is there to answer Chromium's question: the answer is put in."""
    page.add_init_script(
        "Object.defineProperty(Notification, 'permission', {get: () => sessionStorage.getItem('denied') ?? 'default'});"
        "Notification.requestPermission = async () => { sessionStorage.setItem('denied', 'denied'); return 'denied'; };"
    )
    wait_on(page, notifying, account)
    offer, said = page.get_by_role("button", name=BUTTON), page.locator("#notify-said")
    offer.click()
    expect(said).to_have_text("Your browser does not allow notifications from this page.")
    expect(offer).to_be_hidden()
    page.reload()
    pass_time(page)
    expect(page.locator("#notify")).to_be_hidden()


def test_where_the_server_has_no_keys_nothing_is_offered(page: Page, demo: Demo, subscriber: Browser) -> None:
    wait_on(page, demo, demo.account())
    expect(page.locator("#notify")).to_be_hidden()


def test_the_component_offers_it_too_where_an_application_wants_that(
    page: Page,
    apps: Path,
    notifying: Demo,
    account: Account,
    pushing: Pushing,
    subscriber: Browser,
    node_modules: Path,
) -> None:
    """The worker's file is the server's own here; an application has a copy of it."""
    page.add_init_script("sessionStorage.setItem('worker', '/service-worker.js?open=/app/component.html')")
    page.clock.install()
    open_application(page, apps, "component.html", notifying.url, account.api_key)
    page.get_by_label("Your prompt").fill(LONG)
    page.get_by_role("button", name="Generate AI Prompt").click()
    offer, said = page.get_by_role("button", name=BUTTON), page.locator(".pg-notify p")
    expect(page.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    expect(said).to_be_attached()
    page.clock.fast_forward(5_000)
    page.route(
        "**/push-subscriptions/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    offer.click()
    expect(said).to_have_text("That did not work. Please try again.")
    assert violations(page, node_modules) == []
    page.unroute("**/push-subscriptions/")
    offer.click()
    expect(said).to_have_text(NOTIFIED)
    expect(offer).to_have_count(0)
    off = page.get_by_role("button", name=OFF)
    expect(off).to_be_focused()
    off.click()
    expect(offer).to_be_focused()
    expect(said).to_be_empty()
    assert at_the_server(notifying, account) == []
    offer.click()
    expect(off).to_be_focused()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", "failed")
    before = len(pushing.service.received)
    task_id = notifying.submit(account, BAKERY)
    assert subscriber.read(pushing.has(before + 1)[-1])["task_id"] == task_id
