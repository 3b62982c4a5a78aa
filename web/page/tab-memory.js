/** What this tab remembers over a reload, as text by name. Without storage it remembers nothing, and nothing else breaks. */

const PREFIX = 'prompt-generation:';

/** @typedef {'account' | 'draft' | 'started' | 'versions' | 'feedback' | 'business'} Name */

/** @param {Name} name @returns {string} '' for nothing */
export function recall(name) {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

/** @param {Name} name @param {string} text '' to forget */
export function remember(name, text) {
  try {
    if (text) {
      sessionStorage.setItem(PREFIX + name, text);
    } else {
      sessionStorage.removeItem(PREFIX + name);
    }
  } catch {
    // See above.
  }
}
