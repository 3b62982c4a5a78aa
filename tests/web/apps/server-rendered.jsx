// What React renders on a server is in the page; `takeOver` is what happens when the scripts have come.
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server.browser';
import { PromptGenerator } from 'prompt-generation-react';

const root = document.getElementById('root');
const app = (
  <PromptGenerator apiBaseUrl="/api/v1/web-knowledge" authToken="t" onChange={(text) => (window.told = text)} />
);

root.innerHTML = renderToString(app);
window.takeOver = () => {
  const onRecoverableError = (error) => (window.mismatch = String(error));
  hydrateRoot(root, app, { onRecoverableError });
};
