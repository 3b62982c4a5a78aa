'use client';

/** What the component says of notifications, and they themselves: it comes with the offer of one. */

export const ENGLISH_OF_NOTIFYING = {
  notifyMe: 'Notify me when it is done',
  notified: 'You will be notified when it is done, also if you close this page.',
  notifyOff: 'Turn off notifications',
  notifyDenied: 'Your browser does not allow notifications from this page.',
  notifyTrouble: 'That did not work. Please try again.',
  notifyCompleted: 'Your prompt is ready',
  notifyFailed: 'Your prompt could not be generated',
};
