import { PromptGenerator } from 'prompt-generation-react';
import 'prompt-generation-react/styles.css';
import { apiBaseUrl, getToken } from './settings.js';

export function PromptPage({ goTo }) {
  return (
    <PromptGenerator
      apiBaseUrl={apiBaseUrl}
      authToken={getToken}
      onComplete={(result) => console.log(`${result.tokensUsed} tokens used`)}
      onPurchaseTokens={() => goTo('/tokens')}
      onUpgradeSubscription={() => goTo('/subscription')}
      onSignIn={() => goTo('/sign-in')}
    />
  );
}
