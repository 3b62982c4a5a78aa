/** An API key or JWT, or a function that returns the current one; it is asked before each request, and once more after a 401. A GenerationError that it throws is passed on, a TypeError (of `fetch`) is a NetworkError, anything else is Unauthorized. */
export type AuthToken = string | (() => string | Promise<string>);

export type Stage =
  | 'queued'
  | 'initializing'
  | 'checking'
  | 'generating'
  | 'waiting'
  | 'finalizing'
  | 'completed'
  | 'fallback'
  | 'failed';

export type Status = 'queued' | 'processing' | 'completed' | 'failed';

/** What the server says of a task, as it says it. */
export interface StatusDocument {
  status: Status;
  /** Percent, 0 to 100; never falls. */
  progress: number;
  message: string;
  created_at: string;
  task_id: string;
  attempt: number;
  /** Grows with each change. */
  version: number;
  /** For words in another language than `message`. */
  stage?: Stage;
  /** When the end is expected; four of five generations end before. */
  expected_at?: string;
  completed_at?: string;
  prompt?: string;
  generated_by_ai?: boolean;
  model?: string;
  tokens_used?: number;
  /** The same by kind: input, output, thoughts, cached, tool. */
  usage?: Partial<Record<'input' | 'output' | 'thoughts' | 'cached' | 'tool', number>>;
  /** What the submit gave. */
  metadata?: Record<string, string>;
  /** Only where `tokens_used` is an estimate: the task was stopped before Gemini reported any use. */
  estimated?: true;
  warning?: string;
  fallback_reason?: string;
  /** Stable, for translations of `warning`. */
  warning_code?: string;
  fidelity?: Fidelity;
  /** With `incomplete`: facts of the draft that the prompt lacked; its own sentences with them are at the prompt's end. */
  missing_facts?: string[];
  /** With `incomplete`: what only the prompt says. */
  invented_facts?: string[];
  error?: string;
  error_code?: string;
}

export type Fidelity = 'kept' | 'repaired' | 'incomplete';

export interface Progress {
  taskId: string;
  status: Status;
  /** Percent, 0 to 100; never falls. */
  progress: number;
  stage?: Stage;
  message: string;
  expectedAt?: string;
  /** Grows when another process of the server takes the task over. */
  attempt: number;
}

export interface Result {
  taskId: string;
  prompt: string;
  /** False when the AI could not answer and the prompt is the simple combination; `warning` says why. */
  generatedByAI: boolean;
  /** Whether every fact of the draft is in the prompt; absent for fallbacks. */
  fidelity?: Fidelity;
  missingFacts: string[];
  inventedFacts: string[];
  warningCode?: string;
  warning?: string;
  fallbackReason?: string;
  model?: string;
  tokensUsed: number;
  createdAt: string;
  completedAt?: string;
  document: StatusDocument;
}

/**
 * How documents arrive now: `live` (events) or `polling`; or why they do not: `retrying` (no answer), `busy` (the
 * server answers that it cannot now, and when to come back), `offline`, `unsent` (offline, and this call has sent nothing),
 * `background` (nobody looks at the page or app), `connecting` (after one of these three, until there is an answer).
 */
export type Connection = 'live' | 'polling' | 'retrying' | 'busy' | 'offline' | 'unsent' | 'background' | 'connecting';

/** Of a connection that is `retrying` or `busy`. */
export interface Trouble {
  readonly error: GenerationError;
  /** When the next try is, counted from the call. */
  readonly retryInMs: number;
}

/** Is anybody there, and is there a network? */
export interface Presence {
  readonly state: 'active' | 'background' | 'offline';
  /** Call `listener` after each change; the returned function ends that. */
  subscribe(listener: () => void): () => void;
}

export interface ClientOptions {
  /** False: poll only. Default: whether this runtime, or the `fetch` you give, can stream; polls where events cannot be had. */
  events?: boolean;
  /** 500 to 3,000 ms; default 1,000. Grows to 3,000 when a generation takes long, and never below what the server asks for. */
  pollIntervalMs?: number;
  /** Tries after a network error; default 3. */
  retries?: number;
  /** Between those tries; default 2,000 ms. */
  retryDelayMs?: number;
  /** How long one generation may take, from the submit on, not counting time in the background or offline; default 120,000 ms. */
  timeoutMs?: number;
  /** Default: the page's visibility and network in a browser, always there elsewhere. */
  presence?: Presence;
  /** For example that of `expo/fetch`, which streams. */
  fetch?: typeof globalThis.fetch;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

export interface WatchOptions extends RequestOptions {
  onProgress?: (progress: Progress) => void;
  /** Gets the whole text so far, while the AI writes it. Not called while polling. */
  onText?: (text: string) => void;
  onConnection?: (connection: Connection, trouble?: Trouble) => void;
  /** Gets, about five times a second, the percent at which a bar should stand: between documents it moves towards the expected end. */
  onEstimate?: (percent: number) => void;
}

export interface GenerateOptions extends WatchOptions {
  /** What should be different about the prompt, which may be an earlier result; 2,000 characters at most. */
  feedback?: string;
  /** The name of a template, instead of the account's. */
  businessType?: string;
  onStarted?: (taskId: string) => void;
  /** The same key and prompt never start a second generation within 24 hours. Default: a new key. */
  idempotencyKey?: string;
}

export interface LedgerOptions extends RequestOptions {
  limit?: number;
  before?: string;
}

export interface Account {
  account_id: string;
  name: string;
  business_type: string;
  subscription_active: boolean;
  subscription_until: string | null;
  tokens_remaining: number;
  tokens_held: number;
  tokens_charged: number;
  tokens_granted: number;
  minimum_tokens: number;
  /** With which browsers subscribe to notifications; null where there are none. */
  web_push_key?: string | null;
  /** The names that `businessType` may have; absent on older servers. */
  business_types?: string[];
}

export interface LedgerEntry {
  id: string;
  at: string;
  kind: 'grant' | 'hold' | 'settle' | 'release';
  tokens: number;
  balance: number;
  held: number;
  charged: number;
  task_id?: string | null;
  reason?: string | null;
  uncollected?: number;
  estimated?: boolean;
}

export interface LedgerPage {
  entries: LedgerEntry[];
  next: string | null;
}

export type OnProgress = (progress: Progress) => void;
export type OnComplete = (prompt: string, generatedByAI: boolean, result: Result) => void;
export type OnError = (message: string, error: GenerationError) => void;

/** Generations alone, without lists, accounts and callbacks: what a session and the React package need. */
export class GenerationClient {
  /** @param apiBaseUrl for example `https://prompts.example.com/api/v1/web-knowledge` */
  constructor(apiBaseUrl: string, authToken: AuthToken, options?: ClientOptions);

  /** Both count from the next request on. */
  apiBaseUrl: string;
  authToken: AuthToken;

  /** Aborting `signal` only stops watching; `cancel` ends the generation itself. Rejects with a GenerationError. */
  generate(manualPrompt: string, options?: GenerateOptions): Promise<Result>;
  /** Watch a generation that was started before, here or elsewhere. */
  resume(taskId: string, options?: WatchOptions): Promise<Result>;
  /** End a generation; resolves to its last document. Cancelling twice is no error. */
  cancel(taskId: string, options?: RequestOptions): Promise<StatusDocument>;
}

export class PromptGeneratorAPI extends GenerationClient {
  status(taskId: string, options?: RequestOptions): Promise<StatusDocument>;
  /** Unexpired generations, newest first: a hundred at most, or `limit` of those `before` a task. */
  recent(options?: LedgerOptions): Promise<StatusDocument[]>;
  account(options?: RequestOptions): Promise<Account>;
  ledger(options?: LedgerOptions): Promise<LedgerPage>;

  /** Resolves to the task's id, or to null when it could not be started (`onError` was told). */
  startGeneration(
    manualPrompt: string,
    onProgress: OnProgress,
    onComplete: OnComplete,
    onError: OnError,
  ): Promise<string | null>;
  pollStatus(taskId: string, onProgress: OnProgress, onComplete: OnComplete, onError: OnError): void;
  /** No callback is called any more, also of a generation that is still being started. The generations themselves go on. */
  stopPolling(): void;
  /** Null while nothing is watched through callbacks. */
  readonly pollingInterval: number | null;
}

interface AnyState {
  readonly manualPrompt: string;
  /** What should be different about `manualPrompt`, which is then an earlier result. */
  readonly feedback: string;
  readonly businessType: string;
  /** Null until the server has taken the task. */
  readonly taskId: string | null;
  readonly status: Status | null;
  readonly stage: Stage | null;
  readonly progress: number;
  /** Percent, where a bar should stand: `progress`, moved on towards the expected end. */
  readonly estimate: number;
  readonly message: string;
  /** The text as it grows; the whole prompt at the end. */
  readonly text: string;
  readonly connection: Connection | null;
  /** A new object for each try that failed; null when something arrives. */
  readonly trouble: Trouble | null;
  readonly cancelling: boolean;
  /** Whether `retry` can do anything: false for a failed task that was opened without its prompt. */
  readonly canRetry: boolean;
}

/** `phase` says which: a result only when completed, an error when failed (or, while running, of a cancel that did not get through). */
export type SessionState = AnyState &
  (
    | { readonly phase: 'idle'; readonly result: null; readonly error: null }
    | { readonly phase: 'running'; readonly result: null; readonly error: GenerationError | null }
    | { readonly phase: 'completed'; readonly result: Result; readonly error: null }
    | { readonly phase: 'failed'; readonly result: null; readonly error: GenerationError }
  );

export interface SessionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface SessionOptions {
  /** Where a running generation is remembered, so that it is taken up after a reload. Default: nowhere. */
  storage?: SessionStorage | null;
  storageKey?: string;
}

export interface SessionGenerateOptions {
  replace?: boolean;
  /** What should be different about the prompt, which may be an earlier result; 2,000 characters at most. */
  feedback?: string;
  /** The name of a template, instead of the account's. */
  businessType?: string;
}

/** One person's generation as a user interface shows it. Each state is a new object. */
export class GenerationSession {
  constructor(client: GenerationClient, options?: SessionOptions);
  readonly client: GenerationClient;
  getState: () => SessionState;
  subscribe: (listener: () => void) => () => void;
  /** Resume the generation that was running before a reload, or before `disconnect`; after a reload also one that failed here and may run there. */
  connect(): void;
  /** Stop watching, keep what is remembered. */
  disconnect(): void;
  /** False, and nothing happens, while one is running: two clicks start one generation. `replace` leaves the running one unwatched. The same after a failure that may have left it running is the same generation, as with `retry`. */
  generate(manualPrompt: string, options?: SessionGenerateOptions): boolean;
  /** Show a generation that exists, running or ended. */
  open(taskId: string, manualPrompt?: string): void;
  cancel(): Promise<void>;
  /** While there is trouble: wait no longer. The error is what the server said last; `retry` takes the generation up. */
  stop(): void;
  /**
   * After a failure: watch on where the task may still run, else submit again; never pays for the same generation twice.
   * With a prompt that was edited since, that one is generated.
   */
  retry(manualPrompt?: string): void;
  /** Forget the generation; one that is running goes on unwatched. */
  reset(): void;
}

/** Base of all errors. `message` is the sentence to show, `title` a short one for a heading. */
export class GenerationError extends Error {
  constructor(message: string, facts?: { title?: string; code?: string; taskId?: string; cause?: unknown });
  readonly name: string;
  readonly title: string;
  /** For words of your own: the server's stable `error_code`, `http_502` where a proxy answered, or the client's own (`offline`, `timeout`, …). */
  readonly code: string;
  readonly taskId?: string;
  readonly httpStatus?: number;
  /** Quote it when you ask the operator for help. */
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly document?: StatusDocument;
  /** Set when a try of a submit may have been accepted, whatever the last one came to: submit again with it, and nothing is paid twice. */
  readonly idempotencyKey?: string;
}
/** Empty, too long, or not text. */
export class InvalidPrompt extends GenerationError {
  readonly name: 'InvalidPrompt';
}
export class BadRequest extends GenerationError {
  readonly name: 'BadRequest';
}
/** The key came before with another prompt. */
export class IdempotencyKeyReused extends GenerationError {
  readonly name: 'IdempotencyKeyReused';
}
export class Unauthorized extends GenerationError {
  readonly name: 'Unauthorized';
}
/** A valid token whose account does not exist, is closed, or may not do this. */
export class UnknownAccount extends GenerationError {
  readonly name: 'UnknownAccount';
}
export class InsufficientTokens extends GenerationError {
  readonly name: 'InsufficientTokens';
  readonly needed?: number;
  readonly available?: number;
}
export class SubscriptionInactive extends GenerationError {
  readonly name: 'SubscriptionInactive';
}
/** Unknown or expired (10 minutes after its end). */
export class TaskNotFound extends GenerationError {
  readonly name: 'TaskNotFound';
}
export class TooManyTasks extends GenerationError {
  readonly name: 'TooManyTasks';
}
export class TooManyPolls extends GenerationError {
  readonly name: 'TooManyPolls';
}
export class Cancelled extends GenerationError {
  readonly name: 'Cancelled';
}
/** The server gave the task up after several attempts. */
export class Interrupted extends GenerationError {
  readonly name: 'Interrupted';
}
export class GenerationFailed extends GenerationError {
  readonly name: 'GenerationFailed';
}
export class ServerUnavailable extends GenerationError {
  readonly name: 'ServerUnavailable';
}
/** A proxy's page instead of the server's answer, for example. */
export class UnexpectedAnswer extends GenerationError {
  readonly name: 'UnexpectedAnswer';
}
export class NetworkError extends GenerationError {
  readonly name: 'NetworkError';
  readonly offline: boolean;
}
/** Watched for `timeoutMs`; the task may go on: `resume(error.taskId)`. */
export class Timeout extends GenerationError {
  readonly name: 'Timeout';
  readonly timeoutMs?: number;
}

export const alwaysPresent: Presence;
/** The page's visibility and the browser's idea of the network. */
export function browserPresence(): Presence;
