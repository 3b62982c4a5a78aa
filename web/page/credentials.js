/** The API key of this tab. Owns where it is kept (sessionStorage) and refuses to put it anywhere else. */

const NAME = 'prompt-generation:api-key';

/** @returns {string} the key that was given here, else the demo server's own, else '' */
export function readKey() {
  const demo = document.querySelector('meta[name="demo-api-key"]');
  return stored() || demo?.getAttribute('content') || '';
}

function stored() {
  try {
    return sessionStorage.getItem(NAME) ?? '';
  } catch {
    return ''; // storage is forbidden: the key lives as long as the page
  }
}

/** @param {string} key */
export function keepKey(key) {
  try {
    sessionStorage.setItem(NAME, key);
  } catch {
    // See above.
  }
}

export function forgetKey() {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // See above.
  }
}
