import { createRoot } from 'react-dom/client';
import { PromptGenerator } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';

// Your application has the token of the person who is signed in; here it is typed in once.
const getToken = () => sessionStorage.getItem('token') ?? askForToken();

function askForToken() {
  const token = prompt('API key') ?? '';
  sessionStorage.setItem('token', token);
  return token;
}

createRoot(document.getElementById('root')).render(
  <PromptGenerator
    apiBaseUrl="/api/v1/web-knowledge"
    authToken={getToken}
    onSignIn={() => sessionStorage.removeItem('token')}
  />,
);
