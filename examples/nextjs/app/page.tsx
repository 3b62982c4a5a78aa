// A server component: the package says 'use client' itself, and the page is rendered when it is built.
import { PromptGenerator } from 'prompt-generation-react';

export default function Page() {
  return <PromptGenerator apiBaseUrl="/api/v1/web-knowledge" authToken="" title="Built with Next" />;
}
