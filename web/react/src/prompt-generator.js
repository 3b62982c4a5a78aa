'use client';

/**
 * The component: write a prompt, watch it being made, copy it. Written without JSX, so that no build step is needed.
 *
 * Owns the look; the hook owns the state.
 */

import { createElement as h, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { copyText } from 'prompt-generation-client/clipboard';
import { ErrorNotice } from './error-notice.js';
import { usePromptGeneration } from './use-prompt-generation.js';

const COPIED_FOR_MS = 2_000;
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
  const { title = 'AI Prompt Generator', className = '', theme } = props;
  const generation = usePromptGeneration(props);
  const { isRunning, result, error, phase, canRetry, manualPrompt } = generation;
  const [written, setWritten] = useState(/** @type {string | null} */ (null));
  const draft = written ?? manualPrompt; // after a reload nothing is written yet, but something is running
  const top = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  const pressed = useFocusThatIsKept(phase, top);
  return h(
    'section',
    { className: `prompt-generator ${className}`.trim(), 'data-phase': phase, 'data-theme': theme, onClickCapture: (event) => (pressed.current = /** @type {Element} */ (event.target)) },
    h('h2', { ref: top, className: 'pg-title', tabIndex: -1 }, title),
    h(PromptForm, { generation, draft, onWrite: setWritten }),
    isRunning && h(GenerationProgress, generation),
    error && h(ErrorNotice, { ...props, error, onRetry: canRetry ? () => generation.retry(written ?? undefined) : undefined }),
    result && h(GeneratedPrompt, { result }),
  );
}

/**
 * Cancel and Try again go when they have been pressed: the focus, which would fall to the body, goes to the title.
 *
 * @param {string} phase
 * @param {import('react').RefObject<HTMLElement | null>} top
 */
function useFocusThatIsKept(phase, top) {
  const pressed = useRef(/** @type {Element | null} */ (null));
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (pressed.current && !pressed.current.isConnected && (activeElement === null || activeElement === body)) {
      top.current?.focus({ preventScroll: true });
    }
  }, [phase, top]);
  return pressed;
}

/** @param {{generation: import('./index.js').PromptGeneration, draft: string, onWrite: (text: string) => void}} props */
function PromptForm({ generation, draft: text, onWrite }) {
  const { isRunning, cancelling } = generation;
  const id = useId();
  return h(
    'form',
    {
      className: 'pg-form',
      onSubmit: (/** @type {import('react').FormEvent} */ event) => {
        event.preventDefault();
        if (!isRunning) {
          generation.generate(text);
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

/** @param {{result: import('prompt-generation-client').Result}} props */
function GeneratedPrompt({ result }) {
  const shown = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [copied, setCopied] = useState('');
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(''), COPIED_FOR_MS) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const done = await copyText(result.prompt, /** @type {HTMLDivElement} */ (shown.current));
    setCopied(done ? 'Copied' : 'Selected: press Ctrl+C');
  };
  return h(
    'div',
    { className: 'pg-result' },
    h(
      'div',
      { className: 'pg-result-head' },
      h('h3', { className: 'pg-subtitle' }, 'Generated prompt'),
      h('button', { type: 'button', className: 'pg-button', onClick: copy }, copied || 'Copy to clipboard'),
    ),
    result.warning && h('p', { className: 'pg-warning', role: 'note' }, withFacts(result.warning, result)),
    h('div', { ref: shown, className: 'pg-text', dir: 'auto', tabIndex: 0, role: 'group', 'aria-label': 'Generated prompt' }, result.prompt),
    h('p', { className: 'pg-hidden', role: 'status' }, copied || 'Prompt generated'),
  );
}

/**
 * @param {string} warning
 * @param {import('prompt-generation-client').Result} result
 */
function withFacts(warning, { missingFacts, inventedFacts }) {
  const missing = missingFacts.length > 0 ? ` Left out by the AI: ${missingFacts.join(' · ')}.` : '';
  const invented = inventedFacts.length > 0 ? ` Not from you: ${inventedFacts.join(' · ')}.` : '';
  return warning + missing + invented;
}
