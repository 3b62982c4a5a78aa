import { PromptGeneratorAPI } from 'prompt-generation-client';
import { apiBaseUrl, getToken } from './settings.js';

const promptAPI = new PromptGeneratorAPI(apiBaseUrl, getToken());

export function start(manualPrompt, page) {
  return promptAPI.startGeneration(
    manualPrompt,
    ({ progress, message }) => page.show(`${progress}%: ${message}`),
    (prompt, generatedByAI) => page.show(generatedByAI ? prompt : `${prompt} (without AI)`),
    (message, error) => page.show(`${error.name}: ${message}`),
  );
}

export const leave = () => promptAPI.stopPolling();
