/** The server's page in one state: its own HTML, styles and modules, with a pretended server behind `fetch`. */

import html from '@web/page/index.html?raw';
import icon from '@web/page/icon.svg';
import '@web/page/styles.css';
import { pretendedFetch } from './pretended-server.js';
import { chosen, memory, prepare, press, pretendPush } from './one-state.js';
import { DRAFT, STATES } from './states.js';

const { name, theme, lang } = chosen();
const state = STATES[name];
const storage = memory();
const kept = prepare(state, 'pg_gallery');
Object.entries({ sessionStorage: kept, localStorage: storage }).forEach(([name, value]) =>
  Object.defineProperty(window, name, { value }),
);
kept.setItem('prompt-generation:draft', state.empty ? '' : DRAFT);
storage.setItem('prompt-generation:language', lang);
window.fetch = pretendedFetch(state);
if (state.hurry) {
  const { setTimeout } = window;
  window.setTimeout = (done, ms, ...rest) => setTimeout(done, ms / 50, ...rest); // nobody waits two minutes here
}
if (state.notify) {
  pretendPush();
}
if (state.offline) {
  Object.defineProperty(navigator, 'onLine', { get: () => false });
}
const { body } = new DOMParser().parseFromString(html.replaceAll('static/page/icon.svg', icon), 'text/html');
document.body.replaceChildren(...body.childNodes);
document.documentElement.style.colorScheme = theme;

await import('@web/page/before-paint.js');
await import('@web/page/main.js');
press(document, state.press?.page);
