/** What a person can do about each error, and about a fallback. Owns words and buttons, refuses to know the page. */

/**
 * @typedef {'retry' | 'again' | 'key' | 'refresh' | 'edit'} Action
 * @typedef {{hint: string, actions: Action[], tone: 'danger' | 'warning' | 'neutral', details?: string}} Advice
 */

/** @type {Readonly<Record<string, Advice>>} by the error's name */
const ADVICE = {
  InvalidPrompt: { tone: 'danger', hint: '', actions: ['edit'] },
  BadRequest: { tone: 'danger', hint: '', actions: ['edit'] },
  Unauthorized: { tone: 'danger', hint: '', actions: ['key'] },
  UnknownAccount: { tone: 'danger', hint: 'Ask whoever runs this server for an account.', actions: ['key'] },
  InsufficientTokens: {
    tone: 'warning',
    hint: 'Ask whoever runs this server for more tokens.',
    details: 'They add them with: python main.py accounts grant',
    actions: ['refresh', 'again'],
  },
  SubscriptionInactive: {
    tone: 'warning',
    hint: 'Ask whoever runs this server to renew it.',
    details: 'They renew it with: python main.py accounts subscribe',
    actions: ['refresh', 'again'],
  },
  TaskNotFound: { tone: 'neutral', hint: 'Results are kept for 10 minutes.', actions: ['again'] },
  TooManyTasks: { tone: 'warning', hint: 'Your running generations are listed under “Last generations”.', actions: ['again'] },
  Cancelled: { tone: 'neutral', hint: '', actions: ['again'] },
  NetworkError: { tone: 'danger', hint: 'Trying again never pays twice for the same generation.', actions: ['retry'] },
  Timeout: { tone: 'warning', hint: 'It may still end well: go on watching.', actions: ['retry'] },
};

/** For people, where the server's words are for programmers; those are in the details. @type {Readonly<Record<string, string>>} */
const WORDS = {
  manual_prompt_required: 'Write a prompt first.',
  invalid_manual_prompt: 'The prompt has a character that cannot be sent. Write it anew, or paste it as plain text.',
  manual_prompt_too_long: 'Your prompt is longer than it may be. Please shorten it.',
  body_too_large: 'Your prompt is longer than it may be. Please shorten it.',
};

/** @type {Advice} */
const OTHERWISE = { tone: 'danger', hint: '', actions: ['retry'] };

/** @param {import('../client/src/index.js').GenerationError} error @returns {Advice & {title: string, message: string}} */
export function adviceFor(error) {
  const advice = ADVICE[error.name] ?? OTHERWISE;
  const ours = WORDS[error.code ?? ''];
  const [title, message, said] = ours ? ['Please check your prompt', ours, error.message] : [error.title, error.message, ''];
  const request = error.requestId ? `Request ${error.requestId}` : '';
  return { ...advice, title, message, details: [advice.details, said, error.code, request].filter(Boolean).join(' · ') };
}

/** @type {Advice} */
export const INCOMPLETE_ADVICE = {
  tone: 'warning',
  hint: 'Look through the prompt before you use it.',
  actions: [],
};

/** @type {Advice} */
export const FALLBACK_ADVICE = {
  tone: 'warning',
  hint: 'This is your text within a template for your business.',
  actions: ['again'],
};
