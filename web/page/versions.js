/** The versions of this tab, kept over a reload. Owns where they are kept; what they are is the client's. */

import { NO_VERSIONS, takenBack, withResult, withShown, withText } from '../client/src/versions.js';
import { recall, remember } from './tab-memory.js';

/** @typedef {import('../client/src/versions.js').Version} Version */

export class Versions {
  #versions = recalled();

  get list() {
    return this.#versions.list;
  }

  /** Whether the newest one waits to be kept or taken back. */
  get undecided() {
    return this.#versions.undecided;
  }

  /** @returns {Version | undefined} the one that is shown */
  get current() {
    return this.list[this.#versions.at];
  }

  /** @param {string} [taskId] @returns {Version | undefined} */
  find(taskId) {
    return this.list.find((version) => version.taskId === taskId);
  }

  /** @param {import('../client/src/index.js').SessionState} state one with a result */
  add(state) {
    this.#set(withResult(this.#versions, state));
  }

  /** @param {string} taskId @returns {boolean} whether it is one of these */
  choose(taskId) {
    this.#set(withShown(this.#versions, taskId));
    return this.find(taskId) !== undefined;
  }

  /** @param {string} text */
  edit(text) {
    this.#set(withText(this.#versions, text));
  }

  keep() {
    this.#set({ ...this.#versions, undecided: false });
  }

  takeBack() {
    this.#set(takenBack(this.#versions));
  }

  clear() {
    this.#set(NO_VERSIONS);
  }

  /** @param {import('../client/src/versions.js').Versions} versions */
  #set(versions) {
    this.#versions = versions;
    remember('versions', versions.list.length > 0 ? JSON.stringify(versions) : '');
  }
}

/** @returns {import('../client/src/versions.js').Versions} */
function recalled() {
  try {
    const { list, at, undecided } = JSON.parse(recall('versions'));
    return Array.isArray(list) ? { list, at, undecided } : NO_VERSIONS;
  } catch {
    return NO_VERSIONS;
  }
}
