// The recipes of docs/frontend.md with the libraries themselves: TanStack Query, and the AI SDK's useCompletion.
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useCompletion } from '@ai-sdk/react';
import { QueryClient, QueryClientProvider, useMutation, useQuery } from '@tanstack/react-query';
import { PromptGeneratorAPI } from 'prompt-generation-client';
import { completionFetch } from './examples/completion.js';
import { generating, generation } from './examples/query.js';

const prompts = new PromptGeneratorAPI('/api/v1/web-knowledge', () => localStorage.getItem('token'));
const draft = sessionStorage.getItem('draft');

function Mutation() {
  const { mutate, data, error, status } = useMutation(generating(prompts));
  return (
    <section id="mutation" data-status={status}>
      <button onClick={() => mutate(draft)}>Mutate</button>
      <output>{error?.code ?? data?.prompt}</output>
      {data && <Query taskId={data.taskId} />}
    </section>
  );
}

function Query({ taskId }) {
  const { data, status } = useQuery(generation(prompts, taskId));
  return (
    <section id="query" data-status={status}>
      <output>{data?.prompt}</output>
    </section>
  );
}

function Completion() {
  const [result, setResult] = useState(null);
  const { complete, completion, error, isLoading, stop } = useCompletion({
    streamProtocol: 'text',
    fetch: completionFetch(prompts, setResult),
  });
  if (isLoading && completion) {
    window.grown = (window.grown ?? new Set()).add(completion.length);
  }
  return (
    <section id="completion" data-loading={isLoading}>
      <button onClick={() => complete(draft)}>Complete</button>
      <button onClick={stop}>Stop</button>
      <output>{error?.code ?? completion}</output>
      <p>{result?.prompt}</p>
    </section>
  );
}

createRoot(document.getElementById('root')).render(
  <QueryClientProvider client={new QueryClient()}>
    <Mutation />
    <Completion />
  </QueryClientProvider>,
);
