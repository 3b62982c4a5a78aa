'use client';

import { PromptGenerator } from 'prompt-generation-react';

async function getToken() {
  const answer = await fetch('/token');
  if (!answer.ok) {
    throw new Error('Please sign in.');
  }
  return answer.text();
}

/** The component asks for a token whenever the one before has been refused. */
export function Generator() {
  return <PromptGenerator apiBaseUrl="/api/v1/web-knowledge" authToken={getToken} title="Improve a prompt" />;
}
