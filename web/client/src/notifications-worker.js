/**
 * The service worker: shows that a task has ended, also when every page is closed. Keeps nothing and answers no request.
 *
 * A click leads to the page that is this worker's scope, or to what its own address names: ?open=/app/
 */

const worker = /** @type {any} */ (globalThis);

worker.addEventListener('install', () => worker.skipWaiting());

worker.addEventListener('push', (/** @type {any} */ event) => {
  const { title, task_id: tag } = event.data.json();
  event.waitUntil(worker.registration.showNotification(title, { tag })); // with the same tag, a second push replaces the first notification
});

worker.addEventListener('notificationclick', (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(showPage());
});

async function showPage() {
  const { href, pathname } = new URL(
    new URLSearchParams(worker.location.search).get('open') ?? '',
    worker.registration.scope,
  );
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find((/** @type {any} */ { url }) => new URL(url).pathname === pathname);
  await (open ? open.focus() : worker.clients.openWindow(href));
}
