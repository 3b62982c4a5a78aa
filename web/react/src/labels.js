'use client';

/** What the component says before there is a result. `labels` replaces any of it; `stages`, `warnings` and `errors` are by codes. */

const CHECK = 'Please check your prompt';
/** @type {[string, string]} */
const AWAY = ['The server cannot answer now', 'Please try again in a moment.'];

export const ENGLISH = {
  title: 'AI Prompt Generator',
  yourPrompt: 'Your prompt',
  placeholder: 'Enter your manual prompt...',
  kindOfBusiness: 'Kind of business',
  businessAsInAccount: 'As in your account',
  generate: 'Generate AI Prompt',
  generating: 'Generating...',
  cancel: 'Cancel',
  cancelling: 'Cancelling...',
  generation: 'Generation',
  sending: 'Sending...',
  percent: '{number}%',
  retrying: 'No answer from the server.',
  busy: 'The server is busy.',
  offline: 'You are offline. The result appears when you are back.',
  unsent: 'You are offline. Nothing has been sent yet; it is sent when you are back.',
  tryAgain: 'Try again',
  dismiss: 'Dismiss',
  details: 'Details',
  purchaseTokens: 'Purchase more tokens',
  upgradeSubscription: 'Upgrade subscription',
  signIn: 'Sign in',
  stages: /** @type {Record<string, string>} */ ({}),
  warnings: /** @type {Record<string, string>} */ ({}),
  // What the server says of these is for whoever writes programs: it names headers and parameters.
  errors: /** @type {Record<string, [title: string, sentence: string]>} */ ({
    manual_prompt_too_long: [CHECK, 'It is too long. Please shorten it.'],
    InvalidPrompt: [CHECK, 'It is empty, too long, or has a character that cannot be sent.'],
    Unauthorized: ['Please sign in again', 'Your access has ended, or is not valid here.'],
    UnknownAccount: ['No account', 'There is no account for you here.'],
    BadRequest: ['That did not work', 'The server does not accept this.'],
    TooManyPolls: AWAY,
    ServerUnavailable: AWAY,
  }),
};

/**
 * @param {string} [lang] whose digits numbers are shown in
 * @returns {import('./labels.js').Fill}
 */
export function fillIn(lang) {
  /** @type {Intl.NumberFormat} */
  let numbers;
  try {
    numbers = new Intl.NumberFormat(lang || 'en');
  } catch {
    numbers = new Intl.NumberFormat('en'); // `lang` is no language
  }
  return (sentence, values) =>
    sentence.replace(/\{(\w+)\}/g, (place, name) => {
      const value = values[name] ?? place;
      return typeof value === 'number' ? numbers.format(value) : value;
    });
}

/** Put values where a sentence has their names in braces. @typedef {(sentence: string, values: Record<string, string | number | undefined>) => string} Fill */
