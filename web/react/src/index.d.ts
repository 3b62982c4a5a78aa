import type { ReactElement } from 'react';
import type { AuthToken, GenerationError, PromptGeneratorAPI, Result, SessionState } from 'prompt-generation-client';

export interface UsePromptGenerationOptions {
  /** A client of your own; else one is made from `apiBaseUrl` and `authToken`. Keep it across renders. */
  client?: PromptGeneratorAPI;
  /** For example `/api/v1/web-knowledge`. */
  apiBaseUrl?: string;
  /** May change, or be a function that returns the current one. */
  authToken?: AuthToken;
  /** Under which sessionStorage remembers the running generation; each component on a page needs its own. */
  storageKey?: string;
  /** Called once per generation that completes while the component is there. */
  onComplete?: (result: Result) => void;
}

export interface PromptGeneration extends SessionState {
  readonly isRunning: boolean;
  generate(manualPrompt: string): void;
  /** Show a generation that exists, running or ended. */
  open(taskId: string, manualPrompt?: string): void;
  cancel(): Promise<void>;
  /** After a failure; never pays for the same generation twice. */
  retry(): void;
  reset(): void;
}

/** Takes a running generation up after a reload, stops watching on unmount. */
export function usePromptGeneration(options: UsePromptGenerationOptions): PromptGeneration;

/** What helps against an error; a button appears for each callback that is given. */
export interface ErrorActions {
  onPurchaseTokens?: (error: GenerationError) => void;
  onUpgradeSubscription?: (error: GenerationError) => void;
  onSignIn?: (error: GenerationError) => void;
}

export interface ErrorNoticeProps extends ErrorActions {
  error: GenerationError;
  onRetry?: () => void;
}

export function ErrorNotice(props: ErrorNoticeProps): ReactElement;

export interface PromptGeneratorProps extends UsePromptGenerationOptions, ErrorActions {
  title?: string;
  className?: string;
}

export function PromptGenerator(props: PromptGeneratorProps): ReactElement;
