// The hook with a look of one's own, in development mode of React as well: it counts what it renders.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { usePromptGeneration } from 'prompt-generation-react';

function Own() {
  const { phase, progress, text, result, error, generate, cancel, retry, reset } = usePromptGeneration({
    apiBaseUrl: '/api/v1/web-knowledge',
    authToken: localStorage.getItem('token'),
    storageKey: 'own',
  });
  return (
    <>
      <h1>One’s own look</h1>
      <p id="phase">{phase}</p>
      <p id="progress">{progress}</p>
      <p id="text">{text}</p>
      <p id="result">{result?.prompt}</p>
      <p id="error">{error?.name}</p>
      <button
        onClick={() => generate(location.hash ? decodeURIComponent(location.hash.slice(1)) : 'A bakery. Open 7-18.')}
      >
        Generate
      </button>
      <button
        onClick={() => [generate('First shop. [[standin:delay=1.5]]'), generate('Second shop.', { replace: true })]}
      >
        Generate twice
      </button>
      <button onClick={cancel}>Cancel</button>
      <button onClick={retry}>Retry</button>
      <button onClick={reset}>Reset</button>
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Own />
  </StrictMode>,
);
