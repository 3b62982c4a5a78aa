import { useState } from 'react';
import { usePromptGeneration } from 'prompt-generation-react';
import { apiBaseUrl, getToken } from './settings.js';

export function MyGenerator() {
  const [draft, setDraft] = useState('');
  const { isRunning, progress, message, text, error, generate, cancel, retry } = usePromptGeneration({
    apiBaseUrl,
    authToken: getToken,
  });
  return (
    <>
      <textarea aria-label="Draft" value={draft} onChange={(event) => setDraft(event.target.value)} readOnly={isRunning} />
      <button onClick={() => generate(draft)} aria-disabled={isRunning}>Improve</button>
      <button onClick={cancel} aria-disabled={!isRunning}>Cancel</button>
      {isRunning && <progress aria-label={message} max={100} value={progress} />}
      {error && <p role="alert">{error.message} <button onClick={retry}>Try again</button></p>}
      <output>{text}</output>
    </>
  );
}
