/** The page: our own backend submits, and the page watches with a token that is good for this one task. */

import { PromptGeneratorAPI } from 'prompt-generation-client';

const [form, draft, go, cancel, bar, status, result] = ['form', 'draft', 'go', 'cancel', 'bar', 'status', 'result'].map(
  (id) => document.getElementById(id),
);

/** The generation whose end is not known: the same text again is the same one, and paid once. */
let open = { text: '', key: '' };

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (go.ariaDisabled !== 'true') {
    void improve(draft.value);
  }
});

async function improve(text) {
  go.ariaDisabled = true; // `disabled` and `hidden` would take the focus away
  result.textContent = status.textContent = '';
  if (open.text !== text) {
    open = { text, key: `${Date.now()}-${Math.random()}` };
  }
  try {
    const { task_id: taskId, watch_token: watchToken } = await submit(open);
    const client = new PromptGeneratorAPI('/api/v1/web-knowledge', watchToken);
    cancel.ariaDisabled = false;
    cancel.onclick = () => client.cancel(taskId).catch((error) => (status.textContent = error.message));
    const { prompt } = await client.resume(taskId, {
      onProgress: ({ message }) => (status.textContent = message),
      onEstimate: (percent) => (bar.value = percent), // moves on between two stages
      onText: (text) => (result.textContent = text), // textContent, never innerHTML
    });
    result.textContent = prompt;
    open = { text: '', key: '' };
  } catch (error) {
    status.textContent = error.message;
    if (error.document || error.name === 'TaskNotFound') {
      open = { text: '', key: '' }; // it has ended
    }
  } finally {
    cancel.ariaDisabled = true;
    cancel.onclick = null;
    go.ariaDisabled = false;
  }
}

async function submit({ text, key }) {
  const answer = await fetch('/generations', { method: 'POST', headers: { 'Idempotency-Key': key }, body: text });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(body.error);
  }
  return body;
}
