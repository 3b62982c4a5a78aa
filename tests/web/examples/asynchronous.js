import { PromptGeneratorAPI } from 'prompt-generation-client';
import { apiBaseUrl, getToken } from './settings.js';

const prompts = new PromptGeneratorAPI(apiBaseUrl, getToken);

export async function improve(text, { onProgress, onText, signal } = {}) {
  const { prompt } = await prompts.generate(text, { onProgress, onText, signal });
  return prompt;
}
