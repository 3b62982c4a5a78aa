/** The component in one state, with a pretended server behind the client's `fetch`. */

import { createRoot } from 'react-dom/client';
import { alwaysPresent, PromptGeneratorAPI } from 'prompt-generation-client';
import { PromptGenerator } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';
import { pretendedFetch } from './pretended-server.js';
import { chosen, prepare, press, pretendPush } from './one-state.js';
import { DRAFT, STATES } from './states.js';

const WORDS = import.meta.glob('@web/page/words/*.js');

const { name, theme, lang } = chosen();
const { words } = await WORDS[Object.keys(WORDS).find((path) => path.endsWith(`/${lang}.js`))]();
const actions = { onPurchaseTokens() {}, onUpgradeSubscription() {}, onSignIn() {} };

document.documentElement.style.colorScheme = theme || 'light dark';
Object.assign(document.documentElement, { lang, dir: ['ar', 'fa'].includes(lang) ? 'rtl' : 'ltr' });
document.body.style.cssText =
  'margin: 16px; font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText';
const main = document.body.appendChild(document.createElement('main'));
main.append(Object.assign(document.createElement('h1'), { textContent: name }));
main.style.cssText = 'display: grid; gap: 48px; max-width: 720px; margin: auto';

/** @param {string} of which state @param {number} index */
function show(of, index) {
  const state = STATES[of];
  const storage = prepare(state);
  storage.setItem('prompt-generation:draft', JSON.stringify(state.empty ? '' : DRAFT));
  const presence = state.offline ? { ...alwaysPresent, state: 'offline' } : alwaysPresent;
  const client = new PromptGeneratorAPI('/api/v1/web-knowledge', 'pg_gallery', {
    fetch: pretendedFetch(state),
    presence,
    ...(state.hurry ? { timeoutMs: 3_000, retryDelayMs: 50 } : {}),
  });
  const place = main.appendChild(document.createElement('div'));
  place.id = `state-${index}`;
  createRoot(place, { identifierPrefix: `${index}-` }).render(
    <PromptGenerator
      client={client}
      storage={storage}
      lang={lang}
      labels={words}
      serviceWorker={state.notify && '/worker.js'}
      data-state={of}
      data-expected={state.versions ? 'idle' : state.phase}
      {...actions}
    />,
  );
  press(place, state.press?.component);
}

pretendPush();
(name === 'all' ? Object.keys(STATES) : [name]).forEach(show);
