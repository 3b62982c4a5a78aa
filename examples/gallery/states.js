/** Every state that a person can see. What each says is what the server says: docs/openapi.yaml has all of it. */

export const DRAFT =
  'Answer our guests’ questions about the bakery. Open 7–18, closed on Mondays. Rye bread is 4.80 euros. Call 030 1234567.';

const TEXT = `# Role
You answer the questions of guests of a bakery, in the language in which they ask.

# What you know
- Open 7–18, closed on Mondays.
- Rye bread is 4.80 euros.
- Call 030 1234567.

# How you answer
Be short and friendly. When you do not know an answer, say so, and give the telephone number.`;

const SHORTENED = TEXT.replace('- Rye bread is 4.80 euros.\n- Call 030 1234567.\n', '');

const running = (stage, progress, message) => ({
  phase: 'running',
  documents: [{ status: 'processing', stage, progress, message }],
});
const completed = (more) => ({
  phase: 'completed',
  documents: [
    {
      status: 'completed',
      stage: 'completed',
      progress: 100,
      message: 'Prompt generated successfully',
      prompt: TEXT,
      generated_by_ai: true,
      fidelity: 'kept',
      tokens_used: 912,
      model: 'gemini-flash',
      ...more,
    },
  ],
});
const failed = (error_code, message, error) => ({
  phase: 'failed',
  documents: [{ status: 'failed', stage: 'failed', progress: 100, message, error, error_code }],
});
/** The submit is refused: Retry-After is so long that nobody waits for it. */
const refused = (http, error_code, message, error) => ({
  phase: 'failed',
  submits: { http, body: { success: false, message, error, error_code, request_id: 'b1946ac9' } },
});

const waiting = running('waiting', 70, 'Waiting for AI response...');
const lost = {
  fidelity: 'incomplete',
  missing_facts: ['030 1234567', '4.80'],
  warning: 'The AI left out some of your facts; your own sentences with them were added at the end.',
  warning_code: 'facts_missing',
};

export const STATES = {
  'no key': { phase: 'idle', empty: true, noKey: true },
  'nothing yet': { phase: 'idle', empty: true },
  sending: { phase: 'running', submits: { never: true } },
  'offline, unsent': {
    phase: 'running',
    unsent: true,
    submits: { http: 0 },
    offline: true,
    press: { page: ['#generate'], component: ['.pg-primary:not(:disabled)'] },
  },
  'offline, perhaps sent': { phase: 'running', submits: { http: 0 }, offline: true },
  queued: {
    phase: 'running',
    documents: [{ status: 'queued', stage: 'queued', progress: 0, message: 'Task queued, waiting to start...' }],
  },
  checking: running('checking', 30, 'Checking tokens...'),
  waiting,
  'text grows': { ...waiting, text: TEXT.slice(0, 320) },
  cancelling: {
    ...waiting,
    text: TEXT.slice(0, 90),
    press: { page: ['#cancel'], component: ['.pg-form .pg-button:not(.pg-primary)'] },
    cancel: 'never',
  },
  'notification offered': { ...waiting, text: TEXT.slice(0, 200), notify: 'off' },
  'notification on': { ...waiting, text: TEXT.slice(0, 200), notify: 'on' },
  'notified in this browser': { phase: 'idle', empty: true, notify: 'on' },
  retrying: { ...waiting, text: TEXT.slice(0, 200), breaks: 'silence' },
  'busy meanwhile': { ...waiting, text: TEXT.slice(0, 200), breaks: 'busy' },
  completed: completed(),
  'facts repaired': completed({ fidelity: 'repaired' }),
  'facts missing': completed({
    ...lost,
    prompt: `${SHORTENED}\n\n- Rye bread is 4.80 euros.\n- Call 030 1234567.`,
  }),
  'facts taken out again': {
    phase: 'completed',
    versions: [{ ...lost, missingFacts: lost.missing_facts, warningCode: lost.warning_code, prompt: SHORTENED }],
  },
  'facts invented': completed({
    ...lost,
    missing_facts: [],
    invented_facts: ['1999'],
    prompt: TEXT.replace('a bakery', 'a bakery, founded in 1999'),
    warning: 'The AI added something that you did not write. Please check what is marked.',
    warning_code: 'facts_invented',
  }),
  'without AI': completed({
    stage: 'fallback',
    message: 'Prompt generated (AI unavailable, using fallback)',
    generated_by_ai: false,
    fidelity: undefined,
    tokens_used: 0,
    model: undefined,
    warning: 'The AI could not be reached, so your prompt was combined with a template instead.',
    warning_code: 'ai_unavailable',
    fallback_reason: 'unavailable',
  }),
  editing: { ...completed(), press: { page: ['#edit'], component: ['.pg-result-head .pg-button'] } },
  compared: { ...completed(), press: { page: ['input[value=compare]'], component: [] } },
  'two versions': {
    phase: 'completed',
    versions: [
      { prompt: TEXT },
      { prompt: TEXT.replace('Be short and friendly. ', 'Answer in one sentence. '), asked: 'Make it shorter.' },
    ],
  },
  'versions side by side': {
    phase: 'completed',
    versions: [
      { prompt: TEXT },
      { prompt: TEXT.replace('Be short and friendly. ', 'Answer in one sentence. '), asked: 'Make it shorter.' },
    ],
    press: { page: ['input[value=compare]'], component: ['.pg-versions .pg-button:nth-child(3)'] },
  },
  cancelled: failed('cancelled', 'Generation cancelled', 'The generation was cancelled.'),
  interrupted: failed(
    'interrupted',
    'Generation interrupted',
    'The generation was interrupted several times. Please try again.',
  ),
  'too few tokens': {
    account: { tokens_remaining: 250 },
    ...failed(
      'insufficient_tokens',
      'Insufficient tokens',
      'You need at least 700 tokens for prompt enhancement. Available: 250',
    ),
  },
  'no subscription': {
    account: { subscription_active: false },
    ...failed(
      'subscription_inactive',
      'Subscription is not active',
      'Please activate your subscription to use AI prompt enhancement.',
    ),
  },
  'failed otherwise': failed(
    'internal_error',
    'Generation failed',
    'Something went wrong on the server. Nothing was charged.',
  ),
  'prompt too long': refused(
    400,
    'manual_prompt_too_long',
    'manual_prompt is too long',
    'The prompt has 20,001 characters; 20,000 are allowed.',
  ),
  'wrong key': {
    ...refused(
      401,
      'unauthorized',
      'Authentication required',
      "Send your API key or token in the header 'Authorization: Bearer …'.",
    ),
    nobody: true,
  },
  'too many at once': refused(
    429,
    'too_many_tasks',
    'Too many generations',
    'Five generations are running. Wait for one to end, or cancel one.',
  ),
  'server busy': refused(503, 'server_busy', 'Server is busy', 'The server is busy. Please try again in a moment.'),
  'account closed': {
    ...refused(403, 'account_closed', 'Account is closed', 'Your token is valid, but your account has been closed.'),
    nobody: true,
  },
  'a stranger answered': {
    phase: 'failed',
    submits: { http: 403, body: { login: 'https://portal.example' } },
    hurry: true,
  },
  expired: {
    phase: 'failed',
    http: 404,
    body: {
      success: false,
      message: 'Task not found',
      error: 'The task does not exist or has expired.',
      error_code: 'task_not_found',
    },
  },
  unreachable: { phase: 'failed', submits: { http: 0 }, hurry: true },
  'takes too long': { ...waiting, phase: 'failed', hurry: true },
};
