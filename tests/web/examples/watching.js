import { PromptGeneratorAPI } from 'prompt-generation-client';
import { apiBaseUrl, getToken } from './settings.js';

// In the backend, which alone has the account's key: what it answers its page with.
export async function startForPage(manualPrompt, idempotencyKey) {
  const answer = await fetch(`${apiBaseUrl}/generate-prompt-async/`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${getToken()}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': idempotencyKey,
    },
    body: JSON.stringify({ manual_prompt: manualPrompt, watch_token: true }),
  });
  if (!answer.ok) throw new Error(`The prompt server answered ${answer.status}`);
  const { task_id: taskId, watch_token: watchToken } = await answer.json();
  return { taskId, watchToken };
}

// In the page, which has nothing but that answer.
export function watch({ taskId, watchToken }, options) {
  return new PromptGeneratorAPI(apiBaseUrl, watchToken).resume(taskId, options);
}
