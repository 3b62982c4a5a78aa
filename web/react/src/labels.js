'use client';

/** What the component says before there is a result. `labels` replaces any of it; `stages`, `warnings` and `errors` are by codes. */

const tooLong = 'Your prompt is longer than it may be. Please shorten it.';
const checkPrompt = 'Please check your prompt';

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
  retrying: 'No answer from the server. Trying again…',
  offline: 'You are offline. The generation goes on, and its result appears when you are back.',
  background: 'Paused while nobody looks.',
  unsent: 'You are offline. Nothing has been sent yet; it is sent when you are back.',
  tryAgain: 'Try again',
  purchaseTokens: 'Purchase more tokens',
  upgradeSubscription: 'Upgrade subscription',
  signIn: 'Sign in',
  stages: /** @type {Record<string, string>} */ ({}),
  warnings: /** @type {Record<string, string>} */ ({}),
  errors: /** @type {Record<string, [title: string, sentence: string]>} */ ({
    manual_prompt_required: [checkPrompt, 'Write a prompt first.'],
    invalid_manual_prompt: [
      checkPrompt,
      'The prompt has a character that cannot be sent. Write it anew, or paste it as plain text.',
    ],
    manual_prompt_too_long: [checkPrompt, tooLong],
    body_too_large: [checkPrompt, tooLong],
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
