/** The page's own elements, found and made. Text only ever enters as text: nothing here parses HTML. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new TypeError(`#${id} is no ${kind.name}`);
  }
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** @type {Intl.NumberFormat | undefined} made when the page's language is certain */
let numbers;

/** @param {number} number */
export function grouped(number) {
  const { lang } = document.documentElement;
  numbers ??= new Intl.NumberFormat(lang === 'en' ? undefined : lang);
  return numbers.format(number);
}
