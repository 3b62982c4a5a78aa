import { PromptGeneratorAPI } from 'prompt-generation-client';
import { appStatePresence, type AppStateLike } from 'prompt-generation-client/react-native';
import 'prompt-generation-react/styles.css';
import { PromptGenerator, usePromptGeneration, type PromptGeneration } from 'prompt-generation-react';

declare const AppState: AppStateLike;

const client = new PromptGeneratorAPI('/api/v1/web-knowledge', async () => 'token', { presence: appStatePresence(AppState) });

export function Typed() {
  const generation: PromptGeneration = usePromptGeneration({ client, onComplete: ({ prompt }) => console.log(prompt.length) });
  if (generation.phase === 'completed') {
    console.log(generation.result.prompt, generation.error satisfies null);
  }
  // @ts-expect-error neither a client nor an address
  const nowhere = <PromptGenerator />;
  // @ts-expect-error progress is a number
  const wrong: string = generation.progress;
  return (
    <>
      <button onClick={() => generation.generate('text')}>{`${generation.progress}% ${wrong}`}</button>
      {nowhere}
      <PromptGenerator client={client} theme="dark" onPurchaseTokens={(error) => console.log(error.title)} />
    </>
  );
}
