'use client';

/** The result: to read, edit, copy, check and change; and the versions that this makes. */

import { createElement as h, useEffect, useId, useRef, useState } from 'react';
import { copyText } from 'prompt-generation-client/clipboard';
import { factsIn, factsNotIn, sentencesWith, withFacts } from 'prompt-generation-client/facts';
import { takenBack, withShown, withText } from 'prompt-generation-client/versions';

const COPIED_FOR_MS = 2_000;

/** @typedef {import('prompt-generation-client/versions').Versions} Versions */
/** @typedef {import('prompt-generation-client/versions').Version} Version */

/** @param {string} text @param {() => void} onClick @param {object} [more] */
const button = (text, onClick, more) => h('button', { type: 'button', className: 'pg-button', onClick, ...more }, text);

/** @param {string} text @param {readonly string[]} facts @param {string} className */
const marked = (text, facts, className) =>
  factsIn(text, facts).map((part, key) => (part.fact ? h('mark', { key, className }, part.text) : part.text));

/** @param {{versions: Versions, onVersions: (versions: Versions) => void, onRefine: (feedback: string) => void}} props */
export function GeneratedPrompt({ versions, onVersions, onRefine }) {
  const version = versions.list[versions.at];
  const { text, result } = version;
  const shown = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [edits, setEdits] = useState(false);
  const [copied, setCopied] = useState('');
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(''), COPIED_FOR_MS) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const done = await copyText(text, /** @type {HTMLDivElement} */ (shown.current));
    setCopied(done ? 'Copied' : 'Selected: press Ctrl+C');
  };
  const write = (/** @type {string} */ next) => onVersions(withText(versions, next));
  const name = { dir: 'auto', 'aria-label': 'Generated prompt' };
  return h(
    'div',
    { className: 'pg-result' },
    h(
      'div',
      { className: 'pg-result-head' },
      h('h3', { className: 'pg-subtitle' }, 'Generated prompt'),
      h(
        'div',
        { className: 'pg-buttons' },
        button(edits ? 'Done' : 'Edit', () => setEdits(!edits)),
        button(copied || 'Copy to clipboard', copy),
      ),
    ),
    result.warning && h(FactCheck, { version, onWrite: write, onRefine }),
    edits
      ? h('textarea', { ...name, className: 'pg-input', rows: 14, value: text, onChange: (/** @type {any} */ event) => write(event.target.value) })
      : h('div', { ...name, ref: shown, className: 'pg-text', tabIndex: 0, role: 'group' }, marked(text, result.inventedFacts, 'pg-invented')),
    versions.list.length > 1 && h(VersionList, { versions, onVersions }),
    h(Refinement, { onRefine }),
    h('p', { className: 'pg-hidden', role: 'status' }, copied || 'Prompt generated'),
  );
}

/** What the AI left out and made up, and what helps. @param {{version: Version, onWrite: (text: string) => void, onRefine: (feedback: string) => void}} props */
function FactCheck({ version: { text, asked, result }, onWrite, onRefine }) {
  const { warning, missingFacts, inventedFacts } = result;
  const missing = missingFacts.join(' · ');
  const invented = inventedFacts.join(' · ');
  const wishes = [
    missing && `Work these in where they belong, to the letter: ${missing}.`,
    invented && `Leave out what is not from me: ${invented}.`,
  ].filter(Boolean);
  return h(
    'div',
    { className: 'pg-warning', role: 'note' },
    [warning, missing && `Left out by the AI: ${missing}.`, invented && `Not from you: ${invented}.`].filter(Boolean).join(' '),
    missing &&
      h(
        'ul',
        { 'aria-label': 'What was left out' },
        sentencesWith(asked, missingFacts).map((sentence) => h('li', { key: sentence, dir: 'auto' }, marked(sentence, missingFacts, 'pg-missing'))),
      ),
    wishes.length > 0 &&
      h(
        'div',
        { className: 'pg-buttons' },
        factsNotIn(text, missingFacts).length > 0 && button('Add what is missing', () => onWrite(withFacts(text, asked, missingFacts))),
        button('Have it corrected', () => onRefine(wishes.join(' '))),
      ),
  );
}

/** @param {{versions: Versions, onVersions: (versions: Versions) => void}} props */
function VersionList({ versions, onVersions }) {
  const { list, at, undecided } = versions;
  const [beside, setBeside] = useState(false);
  const before = list.find(({ taskId }) => taskId === list[at].base);
  return h(
    'div',
    { className: 'pg-versions' },
    h(
      'div',
      { className: 'pg-buttons', role: 'group', 'aria-label': 'Versions' },
      list.map(({ taskId, feedback }, index) =>
        button(String(index + 1), () => onVersions(withShown(versions, taskId)), {
          key: taskId,
          title: feedback,
          'aria-label': `Version ${index + 1}`,
          'aria-pressed': index === at,
        }),
      ),
      before && button('Side by side', () => setBeside(!beside), { 'aria-pressed': beside }),
      undecided && at === list.length - 1 && button('Keep', () => onVersions({ ...versions, undecided: false })),
      undecided && at === list.length - 1 && button('Take back', () => onVersions(takenBack(versions))),
    ),
    before &&
      beside &&
      h(
        'div',
        { className: 'pg-beside' },
        [before, list[at]].map((version) => {
          const name = `Version ${list.indexOf(version) + 1}`;
          return h('div', { key: version.taskId, className: 'pg-text', dir: 'auto', tabIndex: 0, role: 'group', 'aria-label': name }, version.text);
        }),
      ),
  );
}

/** @param {{onRefine: (feedback: string) => void}} props */
function Refinement({ onRefine }) {
  const [wish, setWish] = useState('');
  const id = useId();
  return h(
    'form',
    {
      className: 'pg-form',
      onSubmit: (/** @type {import('react').FormEvent} */ event) => {
        event.preventDefault();
        onRefine(wish);
      },
    },
    h('label', { className: 'pg-label', htmlFor: id }, 'What should change?'),
    h('textarea', { id, className: 'pg-input', rows: 2, maxLength: 2_000, dir: 'auto', value: wish, onChange: (/** @type {any} */ event) => setWish(event.target.value) }),
    h('div', { className: 'pg-buttons' }, h('button', { type: 'submit', className: 'pg-button', disabled: wish.trim() === '' }, 'Change it')),
  );
}
