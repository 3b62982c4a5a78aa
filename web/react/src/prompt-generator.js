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

const CONNECTIONS = {
  retrying: 'No answer from the server. Trying again…',
  offline: 'You are offline. The generation goes on, and its result appears when you are back.',
  background: 'Paused while nobody looks.',
};

/** @param {import('./index.js').PromptGeneratorProps} props */
export function PromptGenerator(props) {
  const { title = 'AI Prompt Generator', className = '' } = props;
  const generation = usePromptGeneration(props);
  const { isRunning, result, error, phase, canRetry } = generation;
  return h(
    'section',
    { className: `prompt-generator ${className}`.trim(), 'data-phase': phase },
    h('h2', { className: 'pg-title' }, title),
    h(PromptForm, { generation }),
    isRunning && h(GenerationProgress, generation),
    error && h(ErrorNotice, { ...props, error, onRetry: canRetry ? generation.retry : undefined }),
    result && h(GeneratedPrompt, { result }),
  );
}

/** @param {{generation: import('./index.js').PromptGeneration}} props */
function PromptForm({ generation }) {
  const { isRunning, manualPrompt, cancelling } = generation;
  const [written, setWritten] = useState(/** @type {string | null} */ (null));
  const text = written ?? manualPrompt; // after a reload nothing is written yet, but something is running
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
      onChange: (/** @type {import('react').ChangeEvent<HTMLTextAreaElement>} */ event) => setWritten(event.target.value),
      placeholder: 'Enter your manual prompt...',
      rows: 8,
      dir: 'auto',
      readOnly: isRunning, // and not disabled: that would take the focus away, here and below
    }),
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
function GenerationProgress({ progress, message, connection, text }) {
  const growing = useRef(/** @type {HTMLDivElement | null} */ (null));
  const followed = useRef(true); // until the reader scrolls back
  useLayoutEffect(() => {
    if (growing.current && followed.current) {
      growing.current.scrollTop = growing.current.scrollHeight;
    }
  }, [text]);
  const words = message || 'Sending...';
  const trouble = connection && connection in CONNECTIONS ? CONNECTIONS[/** @type {'offline'} */ (connection)] : null;
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
        'aria-valuenow': progress,
        'aria-valuetext': `${progress}%, ${words}`,
      },
      h('div', { className: 'pg-fill', style: { width: `${progress}%` } }),
    ),
    h('p', { className: 'pg-message', role: 'status' }, `${progress}% - ${words}`),
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
    result.warning && h('p', { className: 'pg-warning', role: 'note' }, result.warning),
    h('div', { ref: shown, className: 'pg-text', dir: 'auto', tabIndex: 0, role: 'group', 'aria-label': 'Generated prompt' }, result.prompt),
    h('p', { className: 'pg-hidden', role: 'status' }, copied || 'Prompt generated'),
  );
}
