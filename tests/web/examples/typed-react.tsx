import { PromptGeneratorAPI } from 'prompt-generation-client';
import { appStatePresence, type AppStateLike } from 'prompt-generation-client/react-native';
import { PromptGenerator, usePromptGeneration, type PromptGeneration } from 'prompt-generation-react';

declare const AppState: AppStateLike;

const client = new PromptGeneratorAPI('/api/v1/web-knowledge', async () => 'token', { presence: appStatePresence(AppState) });

export function Typed() {
  const generation: PromptGeneration = usePromptGeneration({ client, onComplete: ({ prompt }) => console.log(prompt.length) });
  // @ts-expect-error progress is a number
  const wrong: string = generation.progress;
  return (
    <>
      <button onClick={() => generation.generate('text')}>{`${generation.progress}% ${wrong}`}</button>
      <PromptGenerator client={client} onPurchaseTokens={(error) => console.log(error.title)} />
    </>
  );
}
