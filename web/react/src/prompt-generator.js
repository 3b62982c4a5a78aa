'use client';

/**
 * The component: write a prompt, watch it being made, copy it. Written without JSX, so that no build step is needed.
 *
 * Owns the look; the hook owns the state.
 */

import { createElement as h, useEffect, useId, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { ErrorNotice } from './error-notice.js';
import { useBeforePaint, useKept, useStorage } from './kept.js';
import { ENGLISH, fillIn } from './labels.js';
import { usePromptGeneration } from './use-prompt-generation.js';

const MAX_CHARACTERS = 20_000; // what the server allows, unless it is configured otherwise

/** @typedef {Partial<import('./index.js').Labels> & typeof ENGLISH} Labels */
/** @typedef {import('./labels.js').Fill} Fill */
/** @typedef {import('prompt-generation-client/versions').Versions} Versions */

/** @param {import('./index.js').PromptGeneratorProps} props */
export function PromptGenerator(props) {
  const {
    labels,
    className = '',
    classNames = {},
    style,
    theme,
    storageKey = 'prompt-generation',
    businessTypes,
    value,
    onChange,
    render = {},
  } = props;
  const says = { ...ENGLISH, ...labels };
  const generation = usePromptGeneration(props);
  const { isRunning, result, error, phase, canRetry, taskId, manualPrompt, feedback } = generation;
  const storage = useStorage(props.storage);
  /** @type {ReturnType<typeof useKept<string>>} */
  const [own, setOwn] = useKept(storage, `${storageKey}:draft`);
  /** @type {ReturnType<typeof useKept<Versions>>} */
  const [versions, setVersions, readVersions] = useKept(storage, `${storageKey}:versions`);
  const [chosen, setChosen] = useState(/** @type {string | undefined} */ (undefined));
  const businessType = chosen ?? props.businessType;
  const written = value ?? own;
  const draft = written ?? (feedback ? '' : manualPrompt); // what is taken up was perhaps written elsewhere
  const top = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useFocusThatIsKept(top);
  const [around, setAround] = useState('');
  useEffect(() => setAround(/** @type {HTMLElement | null} */ (top.current?.closest('[lang]'))?.lang ?? ''), []);
  const lang = props.lang ?? around;
  const fill = useMemo(() => fillIn(lang), [lang]);
  const version = versions?.list[versions.at];
  const shows = !isRunning && (result ?? version);
  const view = useResultView(isRunning || shows ? phase : '');
  useBeforePaint(() => {
    if (result && view) {
      setVersions(view.noted(versions ?? readVersions(), generation)); // a result may be here before they are read
    }
  }, [result, view]);
  const write = (/** @type {string} */ text) => {
    setOwn(text);
    onChange?.(text);
    if (error?.name === 'InvalidPrompt') {
      generation.reset(); // what it was about is being mended
    }
  };
  const refine = (/** @type {string} */ wish) =>
    generation.generate(/** @type {string} */ (version?.text), { feedback: wish, businessType });
  const retry = () => generation.retry(feedback ? undefined : (written ?? undefined));
  /** @type {[keyof import('./index.js').Slots, any][]} */
  const parts = [
    [
      'form',
      h(PromptForm, {
        says,
        fill,
        generation,
        draft,
        businessType,
        businessTypes,
        onWrite: write,
        onChoose: setChosen,
      }),
    ],
    ['progress', isRunning && h(GenerationProgress, { says, fill, generation, view })],
    ['notify', isRunning && view?.notifyOffer(props, generation)],
    [
      'error',
      error &&
        h(ErrorNotice, {
          ...props,
          lang,
          error,
          taskId,
          ...(canRetry && { onRetry: retry, onDismiss: generation.reset }),
        }),
    ],
    [
      'result',
      shows &&
        (view && version
          ? h(view.GeneratedPrompt, {
              ...{ key: version.taskId, says, fill, versions: /** @type {Versions} */ (versions) },
              ...{ onVersions: setVersions, onRefine: refine },
            })
          : plainly(result?.prompt ?? version?.text)),
    ],
  ];
  const given = Object.entries(props).filter(([name]) => /^(data|aria)-|^(id|lang|dir)$/.test(name));
  return h(
    'section',
    {
      'data-theme': theme,
      ...Object.fromEntries(given),
      className: `prompt-generator ${className} ${classNames.root ?? ''}`,
      style,
      'data-phase': phase,
    },
    h('h2', { ref: top, className: `pg-title ${classNames.title ?? ''}`, tabIndex: -1 }, props.title ?? says.title),
    parts.map(([name, part]) => {
      const shown = part && render[name] ? render[name](generation, part) : part;
      return shown && h('div', { key: name, className: `pg-part ${classNames[name] ?? ''}` }, shown);
    }),
  );
}

/** @param {string} [text] */
const plainly = (text) => h('div', { className: 'pg-text', dir: 'auto' }, text);

/** @typedef {typeof import('./generated-prompt.js')} ResultView */

/** @type {ResultView | undefined} */
let loaded;

/**
 * What a result wants is a file of its own, which comes while the first generation runs. Until it has come, or where
 * it cannot, there is the text.
 *
 * @param {string} wanted the phase that wants it, or none: a load that failed is tried again in the next one
 */
function useResultView(wanted) {
  const [view, setView] = useState(() => loaded);
  useEffect(() => {
    if (wanted && !view) {
      import('./generated-prompt.js').then(
        (module) => setView(() => (loaded = module)),
        () => {},
      );
    }
  }, [wanted, view]);
  return view;
}

/**
 * What has the focus may go with a change; the focus, which would fall to the body, goes to the title.
 *
 * @param {import('react').RefObject<HTMLElement | null>} top
 */
function useFocusThatIsKept(top) {
  const { activeElement = null } = globalThis.document ?? {};
  const focused = top.current?.parentNode?.contains(activeElement) && activeElement;
  useBeforePaint(() => {
    if (focused && !focused.isConnected) {
      top.current?.focus({ preventScroll: true });
    }
  });
}

/** True on a server, and while its HTML is taken over. @type {[() => () => void, () => boolean, () => boolean]} */
const HYDRATING = [() => () => {}, () => false, () => true];

/**
 * @typedef {object} FormProps
 * @property {Labels} says
 * @property {Fill} fill
 * @property {import('./index.js').PromptGeneration} generation
 * @property {string} draft
 * @property {string} [businessType]
 * @property {Record<string, string>} [businessTypes] what can be chosen, and its names
 * @property {(text: string) => void} onWrite
 * @property {(businessType: string) => void} onChoose
 */

/** @param {FormProps} props */
function PromptForm({ says, fill, generation, draft: text, businessType, businessTypes, onWrite, onChoose }) {
  const { isRunning, cancelling } = generation;
  const id = useId();
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  // What people typed and chose in a server's HTML before this came stays. React would write `value` over it.
  const hydrating = useSyncExternalStore(...HYDRATING);
  const [typed] = useState(() => /** @type {any} */ (hydrating && globalThis.document?.getElementById(id))?.value);
  useBeforePaint(() => {
    const [field, kind] = /** @type {any} */ (form.current);
    if (field.value !== text) {
      onWrite(field.value);
    }
    if (businessTypes && kind.value !== (businessType ?? '')) {
      onChoose(kind.value);
    }
  }, []);
  return h(
    'form',
    {
      ref: form,
      className: 'pg-form',
      onSubmit: (/** @type {import('react').FormEvent} */ event) => {
        event.preventDefault();
        if (!isRunning) {
          generation.generate(text, { businessType });
        }
      },
    },
    h('label', { className: 'pg-label', htmlFor: id }, says.yourPrompt),
    h('textarea', {
      id,
      className: 'pg-input',
      value: hydrating ? (typed ?? text) : text,
      onChange: (/** @type {import('react').ChangeEvent<HTMLTextAreaElement>} */ event) => onWrite(event.target.value),
      placeholder: says.placeholder,
      rows: 8,
      dir: 'auto',
      'aria-describedby': `${id}-count`,
      readOnly: isRunning, // and not disabled: that would take the focus away, here and below
    }),
    businessTypes &&
      h(
        'label',
        { className: 'pg-business' },
        `${says.kindOfBusiness} `,
        h(
          'select',
          {
            className: 'pg-select',
            value: businessType ?? '',
            onChange: (/** @type {any} */ event) => onChoose(event.target.value),
          },
          h('option', { value: '' }, says.businessAsInAccount),
          Object.entries(businessTypes).map(([value, label]) => h('option', { key: value, value }, label)),
        ),
      ),
    h(
      'p',
      { id: `${id}-count`, className: 'pg-count' },
      fill('{used} / {limit}', { used: [...text].length, limit: MAX_CHARACTERS }),
    ),
    h(
      'div',
      { className: 'pg-buttons' },
      h(
        'button',
        {
          type: 'submit',
          className: 'pg-button pg-primary',
          disabled: hydrating || text.trim() === '', // a browser's own submit would load the page anew
          'aria-disabled': isRunning,
        },
        isRunning ? says.generating : says.generate,
      ),
      isRunning &&
        h(
          'button',
          { type: 'button', className: 'pg-button', onClick: generation.cancel, 'aria-disabled': cancelling },
          cancelling ? says.cancelling : says.cancel,
        ),
    ),
  );
}

/** @param {{says: Labels, fill: Fill, generation: import('./index.js').PromptGeneration, view?: ResultView}} props */
function GenerationProgress({ says, fill, view, generation }) {
  const { progress, estimate, stage, message, connection, cancelling, text } = generation;
  const words = says.stages[stage ?? ''] ?? (message || says.sending);
  const percent = Math.floor(estimate);
  const shown = fill(says.percent, { number: percent });
  return h(
    'div',
    { className: 'pg-progress' },
    h(
      'div',
      {
        className: 'pg-bar',
        role: 'progressbar',
        'aria-label': says.generation,
        'aria-valuenow': percent,
        'aria-valuetext': `${shown}, ${words}`,
        'data-progress': progress,
      },
      h('div', { className: 'pg-fill', style: { width: `${estimate}%` } }),
    ),
    h('p', { className: 'pg-message' }, `${shown} - `, h('span', { role: 'status' }, words)),
    h('p', { className: 'pg-trouble', role: 'status' }, cancelling || /** @type {any} */ (says)[connection ?? '']),
    generation.trouble && view && h(view.NextTry, { says, fill, generation }),
    text && (view ? h(view.GrowingText, { name: says.generation, text }) : plainly(text)),
  );
}
