import { type Account, GenerationError, InsufficientTokens, NetworkError, PromptGeneratorAPI, type Result } from 'prompt-generation-client';

export async function improve(prompts: PromptGeneratorAPI, text: string, signal: AbortSignal): Promise<string> {
  try {
    const result: Result = await prompts.generate(text, {
      signal,
      onProgress: ({ progress, message }) => console.log(`${progress}% ${message}`),
      onText: (text) => console.log(text.length),
    });
    return result.generatedByAI ? result.prompt : `${result.prompt}\n(${result.warning ?? 'without AI'})`;
  } catch (error) {
    if (error instanceof InsufficientTokens) {
      return `${error.available ?? 0} of ${error.needed ?? 0} tokens`;
    }
    if (error instanceof NetworkError) {
      return error.offline ? 'offline' : 'unreachable';
    }
    if (error instanceof GenerationError) {
      return `${error.title} (${error.code ?? error.name})`;
    }
    throw error;
  }
}

export async function balance(prompts: PromptGeneratorAPI): Promise<number> {
  const account: Account = await prompts.account();
  return account.subscription_active ? account.tokens_remaining : 0;
}
