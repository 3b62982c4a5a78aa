/** Cut a text where facts stand in it; joined the parts are the text again. */
export function factsIn(text: string, facts: readonly string[]): { text: string; fact: boolean }[];
/** Those that the text lacks. */
export function factsNotIn(text: string, facts: readonly string[]): string[];
/** The draft's own sentences in which they stand, in its order. */
export function sentencesWith(draft: string, facts: readonly string[]): string[];
/** The text, and at its end what it lacks of these facts, in the draft's words. */
export function withFacts(text: string, draft: string, facts: readonly string[]): string;
