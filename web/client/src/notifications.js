/**
 * "Notify me when it is done": Web Push in this browser, for the account of a client.
 *
 * The browser asks the user and subscribes with the server's key; the subscription is sent to the server. The service
 * worker (notifications-worker.js) shows the notifications, even when every page is closed.
 */

import { accountAddress } from './account-address.js';

/** @typedef {import('./notifications.d.ts').NotificationOptions} Options */

/** Whether this browser can subscribe: it needs https, and a user who has not denied it. */
export function canNotify() {
  return (
    Boolean(globalThis.navigator?.serviceWorker) &&
    'PushManager' in globalThis &&
    'Notification' in globalThis &&
    Notification.permission !== 'denied'
  );
}

export class Notifications {
  #transport;
  #options;
  /** The server's, once it has been read. */
  #key = '';

  /** @param {import('./index.js').GenerationClient} client @param {Options} options */
  constructor(client, options) {
    this.#transport = /** @type {{transport: import('./transport.js').Transport}} */ (
      /** @type {unknown} */ (client)
    ).transport;
    this.#options = options;
  }

  /**
   * Read whether the account is notified in this browser; it is 'impossible' where the server has no keys for it.
   *
   * @returns {Promise<'impossible' | 'off' | 'on'>}
   */
  async state() {
    if (!canNotify()) {
      return 'impossible';
    }
    const { body } = await this.#ask('GET');
    this.#key = body.web_push_key ?? '';
    if (!this.#key) {
      return 'impossible';
    }
    const found = Notification.permission === 'granted' ? await this.#existing() : null;
    return body.subscriptions.some((/** @type {any} */ kept) => kept.endpoint === found?.endpoint) ? 'on' : 'off';
  }

  /**
   * Ask the user, subscribe, and send the subscription to the server. Browsers require a call from a click handler.
   *
   * @returns {Promise<'on' | 'off' | 'denied'>} off: the question was closed without an answer
   */
  async turnOn() {
    const permission = await Notification.requestPermission();
    if (permission !== 'granted') {
      return permission === 'denied' ? 'denied' : 'off';
    }
    const registration = await this.#registration();
    const before = await registration.pushManager.getSubscription();
    if (before && keyOf(before) !== this.#key) {
      await before.unsubscribe(); // the server has other keys by now
    }
    const subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: this.#key,
    });
    await this.#ask('POST', { ...subscription.toJSON(), titles: this.#options.titles });
    return 'on';
  }

  /**
   * Stop notifications in this browser. The server is asked first: when that fails, it can be tried again.
   *
   * @returns {Promise<'off'>}
   */
  async turnOff() {
    const subscription = await (await this.#registration()).pushManager.getSubscription();
    if (subscription) {
      await this.#ask('DELETE', { endpoint: subscription.endpoint }).catch(unlessUnknown);
      await subscription.unsubscribe();
    }
    return 'off';
  }

  /** @param {string} method @param {unknown} [json] */
  #ask(method, json) {
    return this.#transport.json(accountAddress(this.#transport, 'push-subscriptions/'), {
      method,
      json,
      expected: (body) => body?.success === true,
    });
  }

  /** Without a worker there is none: looking installs nothing. */
  async #existing() {
    const address = /** @type {string} */ (this.#options.serviceWorker);
    const registration = await navigator.serviceWorker.getRegistration(address);
    const subscription = await registration?.pushManager.getSubscription();
    return subscription && keyOf(subscription) === this.#key ? subscription : null;
  }

  async #registration() {
    const address = /** @type {string} */ (this.#options.serviceWorker);
    const registration = await navigator.serviceWorker.register(address);
    await activated(registration);
    return registration;
  }
}

/** What the server does not have need not be removed. @param {{code?: string}} error */
function unlessUnknown(error) {
  if (error.code !== 'subscription_not_found') {
    throw error;
  }
}

/** Only then can it subscribe. @param {ServiceWorkerRegistration} registration @returns {Promise<void>} */
function activated({ active, waiting, installing }) {
  const worker = installing ?? waiting;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (active || worker?.state === 'activated') {
        resolve();
      } else if (!worker || worker.state === 'redundant') {
        reject(new Error('The service worker could not be started.'));
      }
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}

/** With which key it was made, as the server writes keys. @param {PushSubscription} subscription */
function keyOf({ options }) {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
