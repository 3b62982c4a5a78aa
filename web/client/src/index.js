/**
 * Generates prompts and reports their progress. See README.md; types and their documentation are in index.d.ts.
 */

export { PromptGeneratorAPI } from './api.js';
export {
  BadRequest,
  Cancelled,
  GenerationError,
  GenerationFailed,
  IdempotencyKeyReused,
  InsufficientTokens,
  Interrupted,
  InvalidPrompt,
  NetworkError,
  ServerUnavailable,
  SubscriptionInactive,
  TaskNotFound,
  Timeout,
  TooManyPolls,
  TooManyTasks,
  Unauthorized,
  UnexpectedAnswer,
  UnknownAccount,
} from './errors.js';
export { GenerationClient } from './generation-client.js';
export { alwaysPresent, browserPresence } from './presence.js';
export { GenerationSession } from './session.js';
