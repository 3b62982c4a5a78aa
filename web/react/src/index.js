'use client';

/** usePromptGeneration() and <PromptGenerator/>. See README.md; types are in index.d.ts. */

export { ErrorNotice } from './error-notice.js';
export { ENGLISH } from './labels.js';
export { PromptGenerator } from './prompt-generator.js';
export { usePromptGeneration } from './use-prompt-generation.js';
