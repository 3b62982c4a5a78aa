'use client';

/** "Notify me when it is done": offered after a few seconds, where server and browser support it. Loaded when needed. */

import { createElement as h, useEffect, useRef, useState } from 'react';
import { Notifications } from 'prompt-generation-client/notifications';
import { ENGLISH_OF_NOTIFYING } from './notify-labels.js';

const OFFERED_AFTER_MS = 4_000;

/** @typedef {'' | 'off' | 'on' | 'denied' | 'impossible'} State */

/** @param {{serviceWorker: string, labels?: Partial<import('./index.js').Labels>, generation: import('./index.js').PromptGeneration}} props */
export default function NotifyOffer({ serviceWorker, labels, generation: { client, taskId } }) {
  const says = { ...ENGLISH_OF_NOTIFYING, ...labels };
  const [notifications] = useState(
    () =>
      new Notifications(client, {
        serviceWorker,
        titles: { completed: says.notifyCompleted, failed: says.notifyFailed },
      }),
  );
  const [state, setState] = useState(/** @type {State} */ (''));
  const [asking, setAsking] = useState(false);
  const [trouble, setTrouble] = useState(false);
  const said = useRef(/** @type {HTMLParagraphElement | null} */ (null));
  const pressed = useRef(false);
  useEffect(() => {
    if (taskId) {
      const offer = () => notifications.state().then(setState, () => setState('impossible'));
      const timer = setTimeout(offer, OFFERED_AFTER_MS);
      return () => clearTimeout(timer);
    }
  }, [taskId, notifications]);
  useEffect(() => {
    if (pressed.current && state === 'denied') {
      said.current?.focus({ preventScroll: true }); // the button that had it has gone
    }
  }, [state]);
  const turn = async () => {
    pressed.current = true;
    setAsking(true);
    try {
      setState(await (state === 'on' ? notifications.turnOff() : notifications.turnOn()));
      setTrouble(false);
    } catch {
      setTrouble(true);
    }
    setAsking(false);
  };
  /** @type {Partial<Record<State, string>>} */
  const sentences = { on: says.notified, denied: says.notifyDenied };
  return h(
    'div',
    { className: 'pg-notify' },
    (state === 'off' || state === 'on') &&
      h(
        'button',
        {
          type: 'button',
          className: 'pg-button',
          onClick: asking ? undefined : turn,
          'aria-disabled': asking, // and not disabled: that would take the focus away
        },
        state === 'on' ? says.notifyOff : says.notifyMe,
      ),
    h('p', { ref: said, role: 'status', tabIndex: -1 }, trouble ? says.notifyTrouble : sentences[state]),
  );
}
