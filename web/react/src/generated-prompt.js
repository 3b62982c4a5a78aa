'use client';

/** The text while it grows, and the result: to read, edit, copy, check and change; and the versions that this makes. */

import { createElement as h, lazy, Suspense, useEffect, useId, useRef, useState } from 'react';
import { copyText } from 'prompt-generation-client/clipboard';
import { factsIn, factsNotIn, sentencesWith, withFacts } from 'prompt-generation-client/facts';
import { NO_VERSIONS, takenBack, withResult, withShown, withText } from 'prompt-generation-client/versions';
import { ENGLISH_OF_RESULTS } from './result-labels.js';

const COPIED_FOR_MS = 2_000;
const ALMOST_AT_THE_END_PX = 8;

/** @typedef {import('prompt-generation-client/versions').Versions} Versions */
/** @typedef {import('prompt-generation-client/versions').Version} Version */
/** @typedef {import('./index.js').Labels} Labels */
/** @typedef {import('./labels.js').Fill} Fill */

/** @param {Versions | null} versions @param {import('./index.js').PromptGeneration} generation one that has completed */
export const noted = (versions, generation) => withResult(versions ?? NO_VERSIONS, generation);

const NotifyOffer = lazy(() => import('./notify-offer.js').catch(() => ({ default: () => /** @type {any} */ (null) })));

/**
 * It comes where an application wants it; its place is kept.
 *
 * @param {import('./index.js').PromptGeneratorProps} props
 * @param {import('./index.js').PromptGeneration} generation
 */
export const notifyOffer = ({ serviceWorker, labels }, generation) =>
  serviceWorker &&
  h(
    Suspense,
    { fallback: h('div', { className: 'pg-notify' }) },
    h(NotifyOffer, { serviceWorker, labels, generation }),
  );

/** @param {string} text @param {() => void} onClick @param {object} [more] */
const button = (text, onClick, more) => h('button', { type: 'button', className: 'pg-button', onClick, ...more }, text);

/** What a box has that is scrolled with keys. @param {string} name */
const scrollable = (name) => ({ dir: 'auto', 'aria-label': name, tabIndex: 0, role: 'group' });

/** @param {string} text @param {readonly string[]} facts @param {string} className */
const marked = (text, facts, className) =>
  factsIn(text, facts).map((part, key) => (part.fact ? h('mark', { key, className }, part.text) : part.text));

/** The text while it grows: its last line is in sight, until the reader scrolls back. @param {{name: string, text: string}} props */
export function GrowingText({ name, text }) {
  const followed = useRef(true);
  const follow = (/** @type {HTMLDivElement | null} */ box) => {
    if (box && followed.current) {
      box.scrollTop = box.scrollHeight; // each render anew: it is a function of its own each time
    }
  };
  const note = (/** @type {any} */ { currentTarget: box }) => {
    followed.current = box.scrollTop + box.clientHeight >= box.scrollHeight - ALMOST_AT_THE_END_PX;
  };
  return h('div', { ...scrollable(name), ref: follow, className: 'pg-text pg-growing', onScroll: note }, text);
}

/** Until a server that is away is asked again; and a way out. @param {{says: Partial<Labels>, fill: Fill, generation: import('./index.js').PromptGeneration}} props */
export function NextTry({ says: given, fill, generation: { trouble, stop } }) {
  const says = /** @type {Labels} */ ({ ...ENGLISH_OF_RESULTS, ...given });
  const [left, setLeft] = useState(0);
  useEffect(() => {
    setLeft(Math.round((trouble?.retryInMs ?? 0) / 1_000));
    const timer = setInterval(() => setLeft((seconds) => seconds - 1), 1_000);
    return () => clearInterval(timer);
  }, [trouble]);
  return h(
    'div',
    { className: 'pg-notify' },
    left > 0 && fill(says.nextTry, { number: left }),
    button(says.stopWaiting, stop),
  );
}

/** @param {{says: Partial<Labels>, fill: Fill, versions: Versions, onVersions: (versions: Versions) => void, onRefine: (feedback: string) => void}} props */
export function GeneratedPrompt({ says: given, fill, versions, onVersions, onRefine }) {
  const says = /** @type {Labels} */ ({ ...ENGLISH_OF_RESULTS, ...given });
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
    setEdits(false);
    await null; // until the text stands there again, to be selected where nothing else helps
    setCopied((await copyText(text, /** @type {any} */ (shown.current))) ? says.copied : says.selected);
  };
  const write = (/** @type {string} */ next) => onVersions(withText(versions, next));
  return h(
    'div',
    { className: 'pg-result' },
    h(
      'div',
      { className: 'pg-result-head' },
      h('h3', { className: 'pg-subtitle' }, says.generated),
      h(
        'div',
        { className: 'pg-buttons' },
        button(edits ? says.editDone : says.edit, () => setEdits(!edits)),
        button(copied || says.copy, copy),
      ),
    ),
    result.warning && h(FactCheck, { says, fill, version, onWrite: write, onRefine }),
    edits
      ? h('textarea', {
          dir: 'auto',
          'aria-label': says.generated,
          className: 'pg-input',
          rows: 14,
          value: text,
          onChange: (/** @type {any} */ event) => write(event.target.value),
        })
      : h(
          'div',
          { ...scrollable(says.generated), ref: shown, className: 'pg-text' },
          marked(text, result.inventedFacts, 'pg-invented'),
        ),
    versions.list.length > 1 && h(VersionList, { says, fill, versions, onVersions }),
    h(Refinement, { says, versions, onVersions, onRefine }),
    h('p', { className: 'pg-hidden', role: 'status' }, copied || says.doneAnnounced),
  );
}

/** The facts that the AI left out or made up, with buttons that help. @param {{says: Labels, fill: Fill, version: Version, onWrite: (text: string) => void, onRefine: (feedback: string) => void}} props */
function FactCheck({ says, fill, version: { text, asked, result }, onWrite, onRefine }) {
  const { warning, missingFacts, inventedFacts } = result;
  const warns = says.warnings[result.warningCode ?? ''] ?? says.warnings.otherwise ?? warning;
  /** @type {[readonly string[], string, string][]} */
  const all = [
    [missingFacts, says.missingFacts, says.correctMissing],
    [inventedFacts, says.inventedFacts, says.correctInvented],
  ];
  const amiss = all.filter(([facts]) => facts[0]);
  return h(
    'div',
    { className: 'pg-warning', role: 'note' },
    warns,
    amiss.map(([facts, sentence]) => {
      const [before, after] = sentence.split('{facts}');
      const named = facts.flatMap((fact, key) => [key ? ' · ' : '', h('bdi', { key }, fact)]); // read in its own direction
      const last = named.pop();
      // A full stop may not stand alone in the next line.
      const end = h('span', { className: 'pg-unbroken' }, last, after[0]);
      return h('span', { key: sentence }, ' ', before, named, end, after.slice(1));
    }),
    missingFacts[0] &&
      h(
        'ul',
        { 'aria-label': says.leftOut },
        sentencesWith(asked, missingFacts).map((sentence) =>
          h('li', { key: sentence, dir: 'auto' }, marked(sentence, missingFacts, 'pg-missing')),
        ),
      ),
    amiss[0] &&
      h(
        'div',
        { className: 'pg-buttons' },
        factsNotIn(text, missingFacts)[0] && button(says.addFacts, () => onWrite(withFacts(text, asked, missingFacts))),
        button(says.correctFacts, () =>
          onRefine(amiss.map(([facts, , wish]) => fill(wish, { facts: facts.join(' · ') })).join(' ')),
        ),
      ),
  );
}

/** @param {{says: Labels, fill: Fill, versions: Versions, onVersions: (versions: Versions) => void}} props */
function VersionList({ says, fill, versions, onVersions }) {
  const { list, at, undecided } = versions;
  const [beside, setBeside] = useState(false);
  const before = list.find(({ taskId }) => taskId === list[at].base);
  return h(
    'div',
    { className: 'pg-versions' },
    h(
      'div',
      { className: 'pg-buttons', role: 'group', 'aria-label': says.versions },
      list.map(({ taskId, feedback }, index) =>
        button(fill('{number}', { number: index + 1 }), () => onVersions(withShown(versions, taskId)), {
          key: taskId,
          title: feedback,
          'aria-label': fill(says.version, { number: index + 1 }),
          'aria-pressed': index === at,
        }),
      ),
      before && button(says.compare, () => setBeside(!beside), { 'aria-pressed': beside }),
      undecided && at === list.length - 1 && button(says.keep, () => onVersions({ ...versions, undecided: false })),
      undecided &&
        at === list.length - 1 &&
        button(says.takeBack, () => onVersions({ ...versions, ...takenBack(versions) })),
    ),
    before &&
      beside &&
      h(
        'div',
        { className: 'pg-beside' },
        [before, list[at]].map((version) => {
          const name = fill(says.version, { number: list.indexOf(version) + 1 });
          return h(
            'div',
            { key: version.taskId },
            h('h4', null, name),
            h('div', { ...scrollable(name), className: 'pg-text' }, version.text),
          );
        }),
      ),
  );
}

/** @param {{says: Labels, versions: Versions, onVersions: (versions: Versions) => void, onRefine: (feedback: string) => void}} props */
function Refinement({ says, versions, onVersions, onRefine }) {
  const { wish = '' } = versions;
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
    h('label', { className: 'pg-label', htmlFor: id }, says.whatShouldChange),
    h('textarea', {
      id,
      className: 'pg-input',
      rows: 2,
      maxLength: 2_000,
      dir: 'auto',
      value: wish,
      onChange: (/** @type {any} */ event) => onVersions({ ...versions, wish: event.target.value }),
    }),
    h(
      'div',
      { className: 'pg-buttons' },
      h('button', { type: 'submit', className: 'pg-button', disabled: !wish.trim() }, says.changeIt),
    ),
  );
}
