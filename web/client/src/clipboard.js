/** Copying text, also on plain HTTP, where browsers hide the clipboard's interface. */

/**
 * @param {string} text
 * @param {Node} shown where the same text stands, selected when nothing else helps
 * @returns {Promise<boolean>} whether it was copied; else it is selected for the person to copy
 */
export async function copyText(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand('copy');
  }
}
