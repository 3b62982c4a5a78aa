/** The page: our own backend submits, and the page watches with a token that is good for this one task. */

import { PromptGeneratorAPI } from 'prompt-generation-client';

const [form, draft, go, cancel, bar, status, result] = ['form', 'draft', 'go', 'cancel', 'bar', 'status', 'result'].map(
  (id) => document.getElementById(id),
);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  go.disabled = true;
  result.textContent = status.textContent = '';
  try {
    const { task_id: taskId, watch_token: watchToken } = await submit(draft.value);
    const client = new PromptGeneratorAPI('/api/v1/web-knowledge', watchToken);
    cancel.hidden = false;
    cancel.onclick = () => client.cancel(taskId);
    const { prompt } = await client.resume(taskId, {
      onProgress: ({ message }) => (status.textContent = message),
      onEstimate: (percent) => (bar.value = percent), // moves on between two stages
      onText: (text) => (result.textContent = text), // textContent, never innerHTML
    });
    result.textContent = prompt;
  } catch (error) {
    status.textContent = error.message;
  } finally {
    cancel.hidden = true;
    go.disabled = false;
  }
});

async function submit(manualPrompt) {
  const answer = await fetch('/generations', { method: 'POST', body: manualPrompt });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(body.error);
  }
  return body;
}
