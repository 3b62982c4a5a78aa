import type { GenerationClient } from 'prompt-generation-client';

export interface NotificationOptions {
  /** The address of notifications-worker.js on your own site; a TrustedScriptURL where your policy wants one. */
  serviceWorker: string | object;
  /** What the notification says, in the user's language. Default: English. */
  titles?: { completed?: string; failed?: string };
}

/** Whether this browser could: it has Web Push, and nobody has denied it. */
export function canNotify(): boolean;

/** "Notify me when it is done", in this browser. */
export class Notifications {
  constructor(client: GenerationClient, options: NotificationOptions);
  /** Read first: 'impossible' where browser or server cannot. */
  state(): Promise<'impossible' | 'off' | 'on'>;
  /** Ask the user and subscribe, while a click is handled; off: the question was closed without an answer. */
  turnOn(): Promise<'on' | 'off' | 'denied'>;
  /** Unsubscribe this browser, here and at the server. */
  turnOff(): Promise<'off'>;
}
