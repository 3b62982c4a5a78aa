import { GenerationSession, PromptGeneratorAPI } from '/static/client/src/index.js';

const client = new PromptGeneratorAPI('/api/v1/web-knowledge', () => localStorage.getItem('token'));
const session = new GenerationSession(client, { storage: sessionStorage });
const [form, prompt, go, cancel, bar, status, result] = ['form', 'prompt', 'go', 'cancel', 'bar', 'status', 'result'].map((id) =>
  document.getElementById(id),
);

session.subscribe(() => {
  const { phase, estimate, message, text, error } = session.getState();
  prompt.readOnly = phase === 'running'; // `disabled` and `hidden` would take the focus away
  go.ariaDisabled = phase === 'running';
  cancel.ariaDisabled = phase !== 'running';
  bar.value = estimate; // moves on between two stages
  status.textContent = error ? error.message : message;
  result.textContent = text; // textContent, never innerHTML
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  session.generate(prompt.value);
});
cancel.addEventListener('click', () => session.cancel());
session.connect(); // takes up what was running before a reload
