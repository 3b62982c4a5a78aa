// The component as somebody makes it their own: words, classes, parts, a draft and a session that are the application's.
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GenerationSession, PromptGeneratorAPI } from 'prompt-generation-client';
import { PromptGenerator, usePromptGeneration } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';

window.told = [];
const labels = JSON.parse(sessionStorage.getItem('labels') ?? '{}');
const client = new PromptGeneratorAPI('/api/v1/web-knowledge', () => localStorage.getItem('token'), {
  retryDelayMs: 200,
});

function Bar({ session }) {
  const { estimate } = usePromptGeneration({ session });
  return <output id="bar">{Math.floor(estimate)}</output>;
}

function App() {
  const [draft, setDraft] = useState('');
  const session = useMemo(() => new GenerationSession(client), []);
  return (
    <>
      <PromptGenerator
        session={session}
        storage={null}
        labels={labels}
        value={draft}
        onChange={setDraft}
        classNames={{ root: 'mine', title: 'my-title', result: 'my-result' }}
        style={{ maxWidth: 640 }}
        theme="dark"
        data-testid="generator"
        render={
          sessionStorage.getItem('labels') ? {} : { progress: ({ progress }) => <b id="my-progress">{progress}</b> }
        }
        onProgress={({ progress }) => window.told.push(['progress', progress])}
        onText={(text) => window.told.push(['text', text.length])}
        onError={(error) => window.told.push(['error', error.name, error.code])}
        onComplete={({ prompt }) => window.told.push(['complete', prompt.length])}
        onSignIn={() => {}}
        onPurchaseTokens={() => {}}
      />
      <Bar session={session} />
      <output id="draft">{draft}</output>
    </>
  );
}

createRoot(document.getElementById('root')).render(<App />);
