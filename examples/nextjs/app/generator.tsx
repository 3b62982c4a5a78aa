'use client';

import { Unauthorized } from 'prompt-generation-client';
import { PromptGenerator } from 'prompt-generation-react';

const EARLY_MS = 30_000;

/** The component asks for a token before each of its requests: one is used until shortly before its end. */
const NONE = { token: '', endsAt: 0 };
let held = NONE;

async function getToken() {
  if (performance.now() > held.endsAt - EARLY_MS) {
    const answer = await fetch('/token');
    if (answer.status === 401) {
      throw new Unauthorized('Please sign in.');
    }
    const { token, lasts_s: lastsS } = await answer.json();
    held = { token, endsAt: performance.now() + lastsS * 1_000 };
  }
  return held.token;
}

/** What ran is taken up when the sign-in leads back here. */
export function Generator() {
  return (
    <PromptGenerator
      apiBaseUrl="/api/v1/web-knowledge"
      authToken={getToken}
      onSignIn={() => location.assign('/sign-in')}
      onError={(error) => {
        if (error.name === 'Unauthorized') {
          held = NONE; // it has ended earlier: the browser may have slept
        }
      }}
      title="Improve a prompt"
    />
  );
}
