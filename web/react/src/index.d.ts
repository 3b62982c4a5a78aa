import type { ReactElement } from 'react';
import type { AuthToken, GenerationError, PromptGeneratorAPI, Result, SessionGenerateOptions, SessionState } from 'prompt-generation-client';

/** A client of your own, kept across renders; or what one is made from. */
export type ClientSource =
  | { client: PromptGeneratorAPI; apiBaseUrl?: undefined; authToken?: undefined }
  | {
      client?: undefined;
      /** For example `/api/v1/web-knowledge`. */
      apiBaseUrl: string;
      /** May change, or be a function that returns the current one. */
      authToken: AuthToken;
    };

export type UsePromptGenerationOptions = ClientSource & {
  /** Under which sessionStorage remembers the running generation; each component on a page needs its own. */
  storageKey?: string;
  /** Called once per generation that completes while the component is there. */
  onComplete?: (result: Result) => void;
};

export type PromptGeneration = SessionState & {
  readonly isRunning: boolean;
  /** False, and nothing happens, while one is running, unless it is to be replaced. */
  generate(manualPrompt: string, options?: SessionGenerateOptions): boolean;
  /** Show a generation that exists, running or ended. */
  open(taskId: string, manualPrompt?: string): void;
  cancel(): Promise<void>;
  /** After a failure; never pays for the same generation twice. With a prompt that was edited since, that one is generated. */
  retry(edited?: unknown): void;
  reset(): void;
};

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

export type PromptGeneratorProps = UsePromptGenerationOptions &
  ErrorActions & {
    title?: string;
    className?: string;
    /** The name of a template, instead of the account's. */
    businessType?: string;
    /** Let people choose one: its name, and what they read. */
    businessTypes?: Record<string, string>;
    /** Default: that of the page around it (its `color-scheme`, or `data-theme`), never the system's alone. */
    theme?: 'light' | 'dark';
  };

export function PromptGenerator(props: PromptGeneratorProps): ReactElement;
