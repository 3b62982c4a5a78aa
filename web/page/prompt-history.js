/** What was asked, by task, for the comparison with what came. Ten of them, in this tab only. */

const PROMPTS = 'prompt-generation:prompts';
const REMEMBERED = 10;

/** @param {string} taskId @returns {string} */
export function promptOf(taskId) {
  return Object.fromEntries(remembered())[taskId] ?? '';
}

/** @param {string} taskId @param {string} manualPrompt */
export function rememberPrompt(taskId, manualPrompt) {
  const others = remembered().filter(([id]) => id !== taskId);
  try {
    sessionStorage.setItem(PROMPTS, JSON.stringify([[taskId, manualPrompt], ...others].slice(0, REMEMBERED)));
  } catch {
    // Without storage there is no comparison for older generations.
  }
}

export function forgetPrompts() {
  try {
    sessionStorage.removeItem(PROMPTS);
  } catch {
    // There is nothing to forget.
  }
}

/** @returns {[string, string][]} */
function remembered() {
  try {
    const found = JSON.parse(sessionStorage.getItem(PROMPTS) ?? '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}
