// A component as somebody wrote it years ago from the React section of the contract's document: plain fetch, an interval,
// a token in localStorage, answers read without looking at the HTTP status. It knows nothing of our packages.
import { useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';

const BASE = '/api/v1/web-knowledge/generate-prompt-async';

function OldGenerator() {
  const [prompt, setPrompt] = useState('');
  const [busy, setBusy] = useState(false);
  const [percent, setPercent] = useState(0);
  const [status, setStatus] = useState(null);
  const [made, setMade] = useState(null);
  const [problem, setProblem] = useState(null);
  const timer = useRef(null);

  const headers = () => ({ Authorization: `Bearer ${localStorage.getItem('token')}` });

  const stop = () => {
    clearInterval(timer.current);
    timer.current = null;
  };
  useEffect(() => stop, []);

  const poll = (taskId) => {
    timer.current = setInterval(async () => {
      try {
        const data = await (await fetch(`${BASE}/status/${taskId}/`, { headers: headers() })).json();
        setStatus(data.status);
        setPercent(data.progress || 0);
        if (data.status === 'completed') {
          setMade(data.prompt);
          setBusy(false);
          stop();
        } else if (data.status === 'failed') {
          setProblem(data.error || data.message);
          setBusy(false);
          stop();
        }
      } catch {
        setProblem('Failed to check status');
        setBusy(false);
        stop();
      }
    }, 1000);
  };

  const generate = async () => {
    setBusy(true);
    setProblem(null);
    setPercent(0);
    try {
      const response = await fetch(`${BASE}/`, {
        method: 'POST',
        headers: { ...headers(), 'Content-Type': 'application/json' },
        body: JSON.stringify({ manual_prompt: prompt }),
      });
      const data = await response.json();
      if (data.success) {
        poll(data.task_id);
      } else {
        setProblem(data.message);
        setBusy(false);
      }
    } catch {
      setProblem('Failed to start generation');
      setBusy(false);
    }
  };

  return (
    <div>
      <textarea value={prompt} onChange={(event) => setPrompt(event.target.value)} disabled={busy} />
      <button onClick={generate} disabled={busy || !prompt.trim()}>
        {busy ? 'Generating...' : 'Generate AI Prompt'}
      </button>
      {busy && <p className="progress">{`${percent}% ${status}`}</p>}
      {problem && (
        <div className="problem">
          {problem}
          {problem.includes('tokens') && <button>Purchase More Tokens</button>}
          {problem.toLowerCase().includes('subscription') && <button>Upgrade Subscription</button>}
        </div>
      )}
      {made && <pre>{made}</pre>}
    </div>
  );
}

createRoot(document.getElementById('root')).render(<OldGenerator />);
