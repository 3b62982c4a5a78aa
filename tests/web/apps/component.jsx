// The component as an application uses it, under StrictMode, with a button that takes it away and brings it back.
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GenerationClient, GenerationSession } from 'prompt-generation-client';
import { PromptGenerator } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';

window.told = [];

/** A storage of one's own: of all tabs, and under names of one's own. */
const own = {
  getItem: (name) => localStorage.getItem(`mine:${name}`),
  setItem: (name, value) => localStorage.setItem(`mine:${name}`, value),
  removeItem: (name) => localStorage.removeItem(`mine:${name}`),
};

const shared =
  location.hash === '#shared'
    ? new GenerationSession(new GenerationClient('/api/v1/web-knowledge', () => localStorage.getItem('token')))
    : undefined;

function App() {
  const [shown, setShown] = useState(true);
  const [, setRendered] = useState(0);
  const [token, setToken] = useState('pg_expired');
  window.signIn = setToken;
  window.renderAgain = () => setRendered(Math.random());
  useEffect(() => {
    window.effects = (window.effects ?? 0) + 1;
  }, []);
  return (
    <>
      <h1>An application</h1>
      <button onClick={() => setShown(!shown)}>{shown ? 'Take away' : 'Bring back'}</button>
      {shown && (
        <PromptGenerator
          session={shared}
          apiBaseUrl="/api/v1/web-knowledge"
          authToken={location.hash === '#token' ? token : () => localStorage.getItem('token')}
          storage={location.hash === '#own-storage' ? { ...own } : undefined} // written in place: another one each time
          businessTypes={JSON.parse(sessionStorage.getItem('kinds') ?? 'null') ?? undefined}
          serviceWorker={sessionStorage.getItem('worker') ?? undefined}
          onComplete={(result) => window.told.push(['complete', result.prompt])}
          onPurchaseTokens={(error) => window.told.push(['purchase', error.needed, error.available])}
          onUpgradeSubscription={(error) => window.told.push(['upgrade', error.name])}
          onSignIn={(error) => window.told.push(['sign in', error.name])}
        />
      )}
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
