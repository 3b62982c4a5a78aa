import type { CSSProperties, ReactElement, ReactNode } from 'react';
import type {
  AuthToken,
  GenerationClient,
  GenerationError,
  GenerationSession,
  Result,
  SessionGenerateOptions,
  SessionState,
  SessionStorage,
} from 'prompt-generation-client';

/** A session that several components share, or a client of your own, kept across renders; or what one is made from. */
export type ClientSource =
  | { session: GenerationSession; client?: undefined; apiBaseUrl?: undefined; authToken?: undefined }
  | { client: GenerationClient; session?: undefined; apiBaseUrl?: undefined; authToken?: undefined }
  | {
      client?: undefined;
      session?: undefined;
      /** For example `/api/v1/web-knowledge`. */
      apiBaseUrl: string;
      /** May change, or be a function that returns the current one. */
      authToken: AuthToken;
    };

export type UsePromptGenerationOptions = ClientSource & {
  /** Under which sessionStorage remembers the running generation; each component on a page needs its own. */
  storageKey?: string;
  /** Where that is remembered; null for nowhere. The first one counts. Default: sessionStorage. */
  storage?: SessionStorage | null;
  /** Called once per generation that completes while the component is there. */
  onComplete?: (result: Result) => void;
  onError?: (error: GenerationError) => void;
  /** At each stage. */
  onProgress?: (state: SessionState) => void;
  /** The whole text so far, while the AI writes it. */
  onText?: (text: string) => void;
};

export type PromptGeneration = SessionState & {
  readonly isRunning: boolean;
  /** What speaks to the server. */
  readonly client: GenerationClient;
  /** False, and nothing happens, while one is running, unless it is to be replaced. */
  generate(manualPrompt: string, options?: SessionGenerateOptions): boolean;
  /** Show a generation that exists, running or ended. */
  open(taskId: string, manualPrompt?: string): void;
  cancel(): Promise<void>;
  /** While there is `trouble`: wait no longer; `retry` takes the generation up. */
  stop(): void;
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
  labels?: Partial<Labels>;
  /** In whose digits numbers are shown. Default: English. */
  lang?: string;
  /** Of the generation that runs on, where there is one: then trying again helps who has signed in. Default: that of the error. */
  taskId?: string | null;
  onRetry?: () => void;
  onDismiss?: () => void;
}

/** Every word of the component. Values stand in braces: `{number}`, `{facts}`, and in errors their own `{needed}`, `{available}`. */
export interface Labels {
  title: string;
  yourPrompt: string;
  placeholder: string;
  kindOfBusiness: string;
  businessAsInAccount: string;
  generate: string;
  generating: string;
  cancel: string;
  cancelling: string;
  generation: string;
  sending: string;
  percent: string;
  retrying: string;
  busy: string;
  nextTry: string;
  stopWaiting: string;
  offline: string;
  unsent: string;
  generated: string;
  doneAnnounced: string;
  edit: string;
  editDone: string;
  copy: string;
  copied: string;
  selected: string;
  missingFacts: string;
  inventedFacts: string;
  leftOut: string;
  addFacts: string;
  correctFacts: string;
  correctMissing: string;
  correctInvented: string;
  versions: string;
  version: string;
  compare: string;
  keep: string;
  takeBack: string;
  whatShouldChange: string;
  changeIt: string;
  tryAgain: string;
  dismiss: string;
  details: string;
  purchaseTokens: string;
  upgradeSubscription: string;
  signIn: string;
  notifyMe: string;
  notified: string;
  notifyOff: string;
  notifyDenied: string;
  notifyTrouble: string;
  /** What the notification itself says. */
  notifyCompleted: string;
  notifyFailed: string;
  /** By `stage`; else what the server says. */
  stages: Record<string, string>;
  /** By `warning_code`, or `otherwise`; else what the server says. */
  warnings: Record<string, string>;
  /** [title, sentence] by `code`, by the error's `name`, or `Otherwise`; else what the server says. */
  errors: Record<string, [title: string, sentence: string]>;
}

export const ENGLISH: Labels;

/** Each may be drawn by a function of yours, which gets the state with its actions, and what would be drawn. */
export type Slots = Record<
  'form' | 'progress' | 'notify' | 'error' | 'result',
  (generation: PromptGeneration, drawn: ReactElement) => ReactNode
>;

export function ErrorNotice(props: ErrorNoticeProps): ReactElement;

export type PromptGeneratorProps = UsePromptGenerationOptions &
  ErrorActions & {
    title?: string;
    /** Words in another language, or of your own. */
    labels?: Partial<Labels>;
    className?: string;
    /** Classes beside the component's own. */
    classNames?: Partial<Record<'root' | 'title' | keyof Slots, string>>;
    style?: CSSProperties;
    render?: Partial<Slots>;
    /** The draft, when it is yours to keep. */
    value?: string;
    onChange?: (draft: string) => void;
    id?: string;
    /** The language of `labels`, whose digits numbers have. Default: that of the page around it. */
    lang?: string;
    dir?: 'ltr' | 'rtl' | 'auto';
    [attribute: `data-${string}` | `aria-${string}`]: string | number | boolean | undefined;
    /** The name of a template, instead of the account's. */
    businessType?: string;
    /** Let people choose one: its name, and what they read. */
    businessTypes?: Record<string, string>;
    /**
     * Offer "Notify me when it is done" to who waits: where your copy of the client's notifications-worker.js is, with
     * ?open=/path/ for where a click leads. Default: it is not offered.
     */
    serviceWorker?: string;
    /** Default: that of the page around it (its `color-scheme`, or `data-theme`), never the system's alone. */
    theme?: 'light' | 'dark';
  };

export function PromptGenerator(props: PromptGeneratorProps): ReactElement;
