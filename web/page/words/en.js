/** English. The other languages have the same members. */

export const en = {
  missingFacts: 'Left out by the AI: {facts}.',
  inventedFacts: 'Not from you: {facts}.',
  edit: 'Edit',
  editDone: 'Done',
  added: 'Added at the end of the prompt.',
  addFacts: 'Add what is missing',
  correctFacts: 'Have it corrected',
  correctMissing: 'Work these in where they belong, to the letter: {facts}.',
  correctInvented: 'Leave out what is not from me: {facts}.',
  sayWhatShouldChange: 'Say first what should change.',
  version: 'Version {number}',
  yourDraft: 'Your prompt',
  businessAsInAccount: 'As in your account',
  /** @type {Record<string, string>} names of templates that come with the server */
  businesses: {
    general: 'General',
    restaurant: 'Restaurant',
    clinic: 'Clinic',
    online_shop: 'Online shop',
    real_estate: 'Real estate',
    education: 'Education',
    hotel: 'Hotel',
    law_firm: 'Law firm',
    software: 'Software',
    beauty_salon: 'Beauty salon',
  },
};
