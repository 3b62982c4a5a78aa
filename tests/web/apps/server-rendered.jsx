// What React renders on a server is in the page; `takeOver` is what happens when the scripts have come.
import { useState } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server.browser';
import { PromptGenerator } from 'prompt-generation-react';

const root = document.getElementById('root');
const initial = new URLSearchParams(location.search).get('value') ?? undefined;

function App() {
  const [draft, setDraft] = useState(initial);
  return (
    <PromptGenerator
      apiBaseUrl="/api/v1/web-knowledge"
      authToken="t"
      businessTypes={{ hotel: 'A hotel', store: 'A shop' }}
      businessType="hotel"
      value={draft}
      onChange={(text) => {
        window.told = text;
        setDraft(initial === undefined ? undefined : text);
      }}
    />
  );
}

root.innerHTML = renderToString(<App />);
window.takeOver = () => {
  const onRecoverableError = (error) => (window.mismatch = String(error));
  hydrateRoot(root, <App />, { onRecoverableError });
};
