/**
 * The versions of a prompt: what was generated, edited, and generated anew from it. Each function returns a new object.
 *
 * Refuses to know where they are kept and how they look.
 *
 * @typedef {import('./versions.js').Versions} Versions
 */

const AT_MOST = 10;

/** @type {Versions} */
export const NO_VERSIONS = { list: [], at: 0, undecided: false };

/** @param {Versions} versions @param {string | undefined} id */
const indexOf = ({ list }, id) => list.findIndex(({ taskId }) => taskId === id);

/** @param {Versions} versions @param {string} taskId @returns {Versions} */
export function withShown(versions, taskId) {
  const at = indexOf(versions, taskId);
  return at < 0 ? versions : { ...versions, at };
}

/** @param {Versions} versions @param {import('./index.js').SessionState} state @returns {Versions} */
export function withResult(versions, { manualPrompt: asked, feedback, result }) {
  if (!result || indexOf(versions, result.taskId) >= 0) {
    return result ? withShown(versions, result.taskId) : versions;
  }
  const { taskId, prompt: text } = result;
  const base = feedback ? [...versions.list].reverse().find((version) => version.text === asked) : undefined;
  const version = { taskId, base: base?.taskId, draft: base?.draft ?? asked, asked, feedback, text, result };
  const list = [...versions.list, version].slice(-AT_MOST);
  return { list, at: list.length - 1, undecided: base !== undefined, wish: feedback ? '' : versions.wish };
}

/** @param {Versions} versions @param {string} text @returns {Versions} */
export function withText(versions, text) {
  return {
    ...versions,
    list: versions.list.map((version, index) => (index === versions.at ? { ...version, text } : version)),
  };
}

/** @param {Versions} versions @returns {Versions} */
export function takenBack(versions) {
  const list = versions.list.slice(0, -1);
  const base = indexOf(versions, versions.list.at(-1)?.base);
  return { ...versions, list, at: base < 0 ? list.length - 1 : base, undecided: false };
}
