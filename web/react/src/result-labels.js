'use client';

/** What the component says of a result: it comes with the view of one. */

export const ENGLISH_OF_RESULTS = {
  nextTry: 'Next try in {number} s.',
  stopWaiting: 'Stop waiting',
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
};
