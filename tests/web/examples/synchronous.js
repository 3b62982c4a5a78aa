import { apiBaseUrl, getToken } from './settings.js';

export async function improve(text) {
  const response = await fetch(`${apiBaseUrl}/generate-prompt/`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${getToken()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ manual_prompt: text }),
  });
  const data = await response.json();
  if (!data.success) {
    throw new Error(data.error);
  }
  return data.prompt;
}
