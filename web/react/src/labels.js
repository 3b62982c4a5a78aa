'use client';

/** What the component says. `labels` replaces any of it; `stages`, `warnings` and `errors` are by the server's codes. */

/** @typedef {import('./index.js').Labels} Labels */

const tooLong = 'Your prompt is longer than it may be. Please shorten it.';
const checkPrompt = 'Please check your prompt';

/** @type {Labels} */
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
  generated: 'Generated prompt',
  doneAnnounced: 'Prompt generated',
  edit: 'Edit',
  editDone: 'Done',
  copy: 'Copy to clipboard',
  copied: 'Copied',
  selected: 'Selected: press Ctrl+C',
  missingFacts: 'Left out by the AI: {facts}.',
  inventedFacts: 'Not from you: {facts}.',
  leftOut: 'What was left out',
  addFacts: 'Add what is missing',
  correctFacts: 'Have it corrected',
  correctMissing: 'Work these in where they belong, to the letter: {facts}.',
  correctInvented: 'Leave out what is not from me: {facts}.',
  versions: 'Versions',
  version: 'Version {number}',
  compare: 'Side by side',
  keep: 'Keep',
  takeBack: 'Take back',
  whatShouldChange: 'What should change?',
  changeIt: 'Change it',
  tryAgain: 'Try again',
  purchaseTokens: 'Purchase more tokens',
  upgradeSubscription: 'Upgrade subscription',
  signIn: 'Sign in',
  stages: {},
  warnings: {},
  errors: {
    manual_prompt_required: [checkPrompt, 'Write a prompt first.'],
    invalid_manual_prompt: [
      checkPrompt,
      'The prompt has a character that cannot be sent. Write it anew, or paste it as plain text.',
    ],
    manual_prompt_too_long: [checkPrompt, tooLong],
    body_too_large: [checkPrompt, tooLong],
  },
};

/** Put values where a sentence has their names in braces. @param {string} sentence @param {Record<string, string | number | undefined>} values */
export const filled = (sentence, values) =>
  sentence.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
