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

/** @type {Advice} */
const OTHERWISE = { tone: 'danger', hint: '', actions: ['retry'] };

/** @param {import('../client/src/index.js').GenerationError} error @returns {Advice} */
export function adviceFor(error) {
  const advice = ADVICE[error.name] ?? OTHERWISE;
  const request = error.requestId ? `Request ${error.requestId}` : '';
  return { ...advice, details: [advice.details, error.code, request].filter(Boolean).join(' · ') };
}

/** @type {Advice} */
export const INCOMPLETE_ADVICE = {
  tone: 'warning',
  hint: 'Look through the prompt before you use it.',
  actions: ['again'],
};

/** @type {Advice} */
export const FALLBACK_ADVICE = {
  tone: 'warning',
  hint: 'This is your text within a template for your business.',
  actions: ['again'],
};
