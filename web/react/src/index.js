'use client';

/** usePromptGeneration() and <PromptGenerator/>. See README.md; types are in index.d.ts. */

import { ENGLISH as BEFORE } from './labels.js';
import { ENGLISH_OF_NOTIFYING } from './notify-labels.js';
import { ENGLISH_OF_RESULTS } from './result-labels.js';

export { ErrorNotice } from './error-notice.js';
export { PromptGenerator } from './prompt-generator.js';
export { usePromptGeneration } from './use-prompt-generation.js';

/** Left out of a bundle that does not use it. @type {import('./index.js').Labels} */
export const ENGLISH = /* @__PURE__ */ Object.assign({}, BEFORE, ENGLISH_OF_RESULTS, ENGLISH_OF_NOTIFYING);
