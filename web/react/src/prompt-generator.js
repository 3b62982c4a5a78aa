'use client';

/**
 * The component: write a prompt, watch it being made, copy it. Written without JSX, so that no build step is needed.
 *
 * Owns the look; the hook owns the state.
 */

import { createElement as h, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { NO_VERSIONS, withResult } from 'prompt-generation-client/versions';
import { ErrorNotice } from './error-notice.js';
import { GeneratedPrompt } from './generated-prompt.js';
import { tabStorage, useKept } from './kept.js';
import { usePromptGeneration } from './use-prompt-generation.js';

const ALMOST_AT_THE_END_PX = 8;

const CHARACTERS_AT_MOST = 20_000; // what the server allows, unless it is configured otherwise
const numbers = new Intl.NumberFormat('en');

const CONNECTIONS = {
  retrying: 'No answer from the server. Trying again…',
  offline: 'You are offline. The generation goes on, and its result appears when you are back.',
  background: 'Paused while nobody looks.',
};

const UNSENT = 'You are offline. Nothing has been sent yet; it is sent when you are back.';

/** @param {import('./index.js').PromptGeneratorProps} props */
export function PromptGenerator(props) {
  const { title = 'AI Prompt Generator', className = '', theme, storageKey = 'prompt-generation', businessTypes } = props;
  const generation = usePromptGeneration(props);
  const { isRunning, result, error, phase, canRetry, manualPrompt, feedback } = generation;
  const [storage] = useState(tabStorage);
  const [written, setWritten] = useKept(storage, `${storageKey}:draft`, /** @type {string | null} */ (null));
  const [versions, setVersions] = useKept(storage, `${storageKey}:versions`, NO_VERSIONS);
  const [chosen, setChosen] = useState('');
  const businessType = chosen || props.businessType;
  const draft = written ?? (feedback ? '' : manualPrompt); // what is taken up was perhaps written elsewhere
  useEffect(() => {
    if (result) {
      setVersions(withResult(versions, generation));
    }
  }, [result]);
  const kept = versions.list.length > 0 && !isRunning && (!error || feedback);
  const refine = (/** @type {string} */ wish) => generation.generate(versions.list[versions.at].text, { feedback: wish, businessType });
  const top = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  const pressed = useFocusThatIsKept(top);
  return h(
    'section',
    { className: `prompt-generator ${className}`.trim(), 'data-phase': phase, 'data-theme': theme, onClickCapture: (event) => (pressed.current = /** @type {Element} */ (event.target)) },
    h('h2', { ref: top, className: 'pg-title', tabIndex: -1 }, title),
    h(PromptForm, { generation, draft, businessType, businessTypes, onWrite: setWritten, onChoose: setChosen }),
    isRunning && h(GenerationProgress, generation),
    error && h(ErrorNotice, { ...props, error, onRetry: canRetry ? () => generation.retry(feedback ? undefined : (written ?? undefined)) : undefined }),
    kept && h(GeneratedPrompt, { key: versions.list[versions.at].taskId, versions, onVersions: setVersions, onRefine: refine }),
  );
}

/**
 * Buttons that go when they have been pressed: the focus, which would fall to the body, goes to the title.
 *
 * @param {import('react').RefObject<HTMLElement | null>} top
 */
function useFocusThatIsKept(top) {
  const pressed = useRef(/** @type {Element | null} */ (null));
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (pressed.current && !pressed.current.isConnected) {
      pressed.current = null;
      if (activeElement === null || activeElement === body) {
        top.current?.focus({ preventScroll: true });
      }
    }
  });
  return pressed;
}

/**
 * @typedef {object} FormProps
 * @property {import('./index.js').PromptGeneration} generation
 * @property {string} draft
 * @property {string} [businessType]
 * @property {Record<string, string>} [businessTypes] what can be chosen, and its names
 * @property {(text: string) => void} onWrite
 * @property {(businessType: string) => void} onChoose
 */

/** @param {FormProps} props */
function PromptForm({ generation, draft: text, businessType, businessTypes, onWrite, onChoose }) {
  const { isRunning, cancelling } = generation;
  const id = useId();
  return h(
    'form',
    {
      className: 'pg-form',
      onSubmit: (/** @type {import('react').FormEvent} */ event) => {
        event.preventDefault();
        if (!isRunning) {
          generation.generate(text, { businessType });
        }
      },
    },
    h('label', { className: 'pg-label', htmlFor: id }, 'Your prompt'),
    h('textarea', {
      id,
      className: 'pg-input',
      value: text,
      onChange: (/** @type {import('react').ChangeEvent<HTMLTextAreaElement>} */ event) => onWrite(event.target.value),
      placeholder: 'Enter your manual prompt...',
      rows: 8,
      dir: 'auto',
      'aria-describedby': `${id}-count`,
      readOnly: isRunning, // and not disabled: that would take the focus away, here and below
    }),
    businessTypes &&
      h(
        'label',
        { className: 'pg-business' },
        'Kind of business ',
        h(
          'select',
          { className: 'pg-select', value: businessType ?? '', onChange: (/** @type {any} */ event) => onChoose(event.target.value) },
          h('option', { value: '' }, 'As in your account'),
          Object.entries(businessTypes).map(([value, label]) => h('option', { key: value, value }, label)),
        ),
      ),
    h('p', { id: `${id}-count`, className: 'pg-count' }, `${numbers.format([...text].length)} / ${numbers.format(CHARACTERS_AT_MOST)}`),
    h(
      'div',
      { className: 'pg-buttons' },
      h(
        'button',
        { type: 'submit', className: 'pg-button pg-primary', disabled: text.trim() === '', 'aria-disabled': isRunning },
        isRunning ? 'Generating...' : 'Generate AI Prompt',
      ),
      isRunning &&
        h(
          'button',
          { type: 'button', className: 'pg-button', onClick: generation.cancel, 'aria-disabled': cancelling },
          cancelling ? 'Cancelling...' : 'Cancel',
        ),
    ),
  );
}

/** @param {import('./index.js').PromptGeneration} generation */
function GenerationProgress({ progress, estimate, message, connection, text, taskId }) {
  const growing = useRef(/** @type {HTMLDivElement | null} */ (null));
  const followed = useRef(true); // until the reader scrolls back
  useLayoutEffect(() => {
    if (growing.current && followed.current) {
      growing.current.scrollTop = growing.current.scrollHeight;
    }
  }, [text]);
  const words = message || 'Sending...';
  const percent = Math.floor(estimate);
  const unsent = connection === 'offline' && taskId === null;
  const trouble = unsent ? UNSENT : connection && connection in CONNECTIONS ? CONNECTIONS[/** @type {'offline'} */ (connection)] : null;
  return h(
    'div',
    { className: 'pg-progress' },
    h(
      'div',
      {
        className: 'pg-bar',
        role: 'progressbar',
        'aria-label': 'Generation',
        'aria-valuemin': 0,
        'aria-valuemax': 100,
        'aria-valuenow': percent,
        'aria-valuetext': `${percent}%, ${words}`,
        'data-progress': progress,
      },
      h('div', { className: 'pg-fill', style: { width: `${estimate}%` } }),
    ),
    h('p', { className: 'pg-message' }, `${percent}% - `, h('span', { role: 'status' }, words)),
    h('p', { className: 'pg-trouble', role: 'status' }, trouble),
    text && h('div', { ref: growing, className: 'pg-text pg-growing', dir: 'auto', onScroll: noteWhetherFollowed(followed) }, text),
  );
}

/** @param {import('react').MutableRefObject<boolean>} followed */
function noteWhetherFollowed(followed) {
  return (/** @type {import('react').UIEvent<HTMLDivElement>} */ { currentTarget: shown }) => {
    followed.current = shown.scrollTop + shown.clientHeight >= shown.scrollHeight - ALMOST_AT_THE_END_PX;
  };
}
