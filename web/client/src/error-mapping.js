/**
 * Maps the server's answers to error classes: the one place that knows its error codes.
 */

import {
  BadRequest,
  Cancelled,
  codeOf,
  GenerationFailed,
  IdempotencyKeyReused,
  InsufficientTokens,
  Interrupted,
  InvalidPrompt,
  ServerUnavailable,
  SubscriptionInactive,
  TaskNotFound,
  TooManyPolls,
  TooManyTasks,
  Unauthorized,
  UnexpectedAnswer,
  UnknownAccount,
} from './errors.js';

/** @typedef {typeof import('./errors.js').GenerationError} ErrorClass */

/** Their codes are their names: `too_many_polls`. The others are known by their HTTP status. */
const NAMED = [
  IdempotencyKeyReused,
  Unauthorized,
  UnknownAccount,
  InsufficientTokens,
  SubscriptionInactive,
  TaskNotFound,
  TooManyTasks,
  TooManyPolls,
  Cancelled,
  Interrupted,
];

/** @param {string | undefined} code @returns {ErrorClass | undefined} */
function byCode(code = '') {
  if (/manual_prompt|^invalid_(feedback|metadata)$|^body_too_large$/.test(code)) {
    return InvalidPrompt;
  }
  return NAMED.find((kind) => codeOf(kind.prototype.name) === code);
}

/**
 * For a code that has no class, and for proxies, which send none: the HTTP status counts.
 *
 * @param {number} status
 * @param {boolean} ours whether the server itself answered
 * @param {string} [taskId] what it was asked about
 * @returns {ErrorClass}
 */
function byStatus(status, ours, taskId) {
  if (status >= 500 || status === 408 || status === 425) {
    return ServerUnavailable;
  }
  if (ours && status === 404 && taskId !== undefined) {
    return TaskNotFound;
  }
  const known = { 400: BadRequest, 401: Unauthorized, 413: InvalidPrompt, 415: BadRequest, 429: TooManyPolls };
  const other = !ours ? UnexpectedAnswer : status === 403 ? UnknownAccount : BadRequest;
  return known[/** @type {keyof typeof known} */ (status)] ?? other;
}

/** The seed's failed documents carry no error_code: their fixed messages are used instead. */
/** @param {string} message @returns {ErrorClass} */
function byMessage(message) {
  if (message === 'Insufficient tokens') {
    return InsufficientTokens;
  }
  return message === 'Subscription is not active' ? SubscriptionInactive : GenerationFailed;
}

/**
 * Read a Retry-After of whole seconds, in milliseconds.
 *
 * @param {Headers} headers
 * @returns {number | undefined}
 */
export function retryAfterMs(headers) {
  const text = headers.get('Retry-After') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

/**
 * @param {Response} response an unexpected one
 * @param {unknown} body its JSON, or undefined when it is none
 * @param {string} [taskId]
 */
export function errorOfAnswer(response, body, taskId) {
  const { message, error, error_code: code, request_id: requestId } = texts(body);
  const ours = code !== undefined || /** @type {any} */ (body)?.success === false;
  const kind = byCode(code) ?? byStatus(response.status, ours, taskId);
  const [title, sentence] = kind === ServerUnavailable ? AWAY : STRANGE;
  return new kind(error ?? message ?? sentence, {
    title: message ?? title,
    code: code ?? `http_${response.status}`,
    taskId,
    httpStatus: response.status,
    requestId: requestId ?? response.headers.get('X-Request-ID') ?? undefined,
    retryAfterMs: retryAfterMs(response.headers),
  });
}

export const STRANGE = ['Unexpected answer', 'The answer did not come from the generation server.'];
const AWAY = ['The server cannot answer now', 'Please try again in a moment.'];

/** Members of a foreign answer may be of any type. @param {unknown} body @returns {Record<string, string>} */
function texts(body) {
  return Object.fromEntries(Object.entries(body ?? {}).filter(([, value]) => typeof value === 'string'));
}

/** @param {import('./index.js').StatusDocument} document a failed one */
export function errorOfDocument(document, taskId = document.task_id) {
  const kind = byCode(document.error_code) ?? byMessage(document.message);
  const facts = { title: document.message, code: document.error_code, taskId, document };
  return new kind(document.error ?? document.message, facts);
}
