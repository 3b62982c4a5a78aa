import {
  Cancelled,
  InsufficientTokens,
  InvalidPrompt,
  NetworkError,
  PromptGeneratorAPI,
  ServerUnavailable,
  SubscriptionInactive,
  TaskNotFound,
  Timeout,
  TooManyTasks,
  Unauthorized,
} from 'prompt-generation-client';
import { apiBaseUrl, getToken } from './settings.js';

/** What to show, and which button helps: [text, button]. */
export function advice(error) {
  if (error instanceof InsufficientTokens) {
    return [`${error.needed - error.available} tokens are missing.`, 'Buy tokens'];
  }
  if (error instanceof SubscriptionInactive) {
    return ['Your subscription has ended.', 'Upgrade'];
  }
  if (error instanceof Unauthorized) {
    return ['Please sign in again.', 'Sign in'];
  }
  if (error instanceof InvalidPrompt || error instanceof Cancelled) {
    return [error.message, null]; // nothing to repair but the text itself
  }
  if (error instanceof TooManyTasks) {
    return ['Five generations are running. Wait for one, or cancel one.', 'Try again'];
  }
  if (error instanceof TaskNotFound) {
    return ['This result has expired.', 'Start again'];
  }
  if (error instanceof Timeout) {
    return ['This takes unusually long, but it is still running.', 'Keep waiting'];
  }
  return [error.message, 'Try again']; // NetworkError, ServerUnavailable, Interrupted, …
}

/** Never pays twice: what was lost on the way is asked for with the same key, what still runs is watched on. */
export async function generateStubbornly(text, token = getToken, options = {}) {
  const prompts = new PromptGeneratorAPI(apiBaseUrl, token, options);
  let idempotencyKey;
  let taskId;
  const onStarted = (id) => (taskId = id);
  for (let tries = 0; ; tries += 1) {
    try {
      return await (taskId ? prompts.resume(taskId) : prompts.generate(text, { idempotencyKey, onStarted }));
    } catch (error) {
      const passing = [NetworkError, ServerUnavailable, Timeout].some((kind) => error instanceof kind);
      if (!passing || tries === 5) {
        throw error;
      }
      idempotencyKey = error.idempotencyKey;
    }
  }
}
