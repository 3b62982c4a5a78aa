import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { PromptGenerator } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';

// Your application has the token of the person who is signed in; here it is typed in once.
function askForToken() {
  const token = prompt('API key') ?? '';
  sessionStorage.setItem('token', token);
  return token;
}

/** A new token is a new text: what runs is taken up with it, and not paid again. */
function App() {
  const [token, setToken] = useState(() => sessionStorage.getItem('token') ?? askForToken());
  return (
    <PromptGenerator apiBaseUrl="/api/v1/web-knowledge" authToken={token} onSignIn={() => setToken(askForToken())} />
  );
}

createRoot(document.getElementById('root')).render(<App />);
