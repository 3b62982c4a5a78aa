--- @include "clock"
--- @include "readable"
--- @include "refuse_submit"
--- @include "remember_key"
--- @include "write_document"
-- submit: create a task, owned and leased from its first moment.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  8 idempotency  9 submits  10 idempotency_keys
-- ARGV: 1 task id  2 owner  3 manual prompt  4 lease, ms  5 deadline, ms from now  6 unfinished tasks allowed
--       7 status ttl, s  8 stage  9 head of the document  10 SHA-256 of the body, '' without idempotency key
--       11 idempotency ttl, s  12 the steering beside the prompt, JSON or ''
--       13 what a submit takes from the bucket, ms, 0 for no limit  14 what the bucket holds, ms
--       15 minimum balance, tokens  16 what it takes when the account cannot pay, ms
--       17 metadata that every document repeats, JSON or ''
--       18 trace context of the submit, or ''  19 its request id, or ''
-- Returns {1, task id, now ms, deadline ms, document, how far the bucket is drawn on in ms,
--         unfinished tasks with this one, what a submit of this account takes from the bucket in ms} created
--       | {2, task id, these three} the same key and body came before
--       | {-4} unknown account | {-5} too many unfinished tasks
--       | {-6, these three} key came before with another body
--       | {-11, ms until the next one is allowed} too many submits | {-13} the account is closed
-- Repeatable: a task id that exists is returned as created.
check_numbers(KEYS[6], 'balance', 'subscription_until_ms')
check_type('hash', {KEYS[1], KEYS[8]})
check_type('stream', {KEYS[3]})
check_type('zset', {KEYS[4], KEYS[5], KEYS[10]})
check_type('string', {KEYS[9]})
local now = now_ms()
local account = redis.call('HMGET', KEYS[6], 'balance', 'subscription_until_ms', 'closed_at')
if not account[1] then return {-4} end
local able = tonumber(account[1]) >= tonumber(ARGV[15]) and tonumber(account[2] or '0') > now
local takes = tonumber(able and ARGV[13] or ARGV[16])
local function left() return drawn_ahead(KEYS[9], now), redis.call('ZCARD', KEYS[4]), takes end
local record = redis.call('HMGET', KEYS[1], 'owner', 'deadline_ms')
if record[1] == ARGV[2] then
  local document = redis.call('GET', KEYS[2]) or write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[9], ARGV[7], 0)
  return {1, ARGV[1], now, tonumber(record[2]), document, left()}
end
if (account[3] or '') ~= '' then return {-13} end
if ARGV[10] ~= '' then
  local before = redis.call('HMGET', KEYS[8], 'body', 'task')
  if before[1] and before[1] ~= ARGV[10] then return {-6, left()} end
  if before[1] then redis.call('HSET', KEYS[8], 'returned', 1) return {2, before[2], left()} end
end
if is_full(KEYS[4], KEYS[1], ARGV[1], tonumber(ARGV[6])) then return {-5} end
local wait = take_from_bucket(KEYS[9], now, takes, tonumber(ARGV[14]))
if wait > 0 then return {-11, wait} end
local deadline = now + tonumber(ARGV[5])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'manual_prompt', ARGV[3], 'created_at', iso_time(now), 'created_ms', now, 'deadline_ms', deadline,
  'stage', ARGV[8], 'owner', ARGV[2], 'epoch', 1, 'lease_ms', now + tonumber(ARGV[4]), 'attempt', 1,
  'progress', 0, 'hold', 0, 'used', 0, 'published', 0, 'version', 0)
if ARGV[12] ~= '' then redis.call('HSET', KEYS[1], 'steering', ARGV[12]) end
if ARGV[17] ~= '' then redis.call('HSET', KEYS[1], 'metadata', ARGV[17]) end
if ARGV[18] ~= '' then redis.call('HSET', KEYS[1], 'trace', ARGV[18]) end
if ARGV[19] ~= '' then redis.call('HSET', KEYS[1], 'request', ARGV[19]) end
redis.call('ZADD', KEYS[4], deadline, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. (now - ARGV[5] - 2000 * ARGV[7]))
redis.call('ZADD', KEYS[5], now, ARGV[1])
redis.call('EXPIRE', KEYS[5], 2 * ARGV[7] + math.ceil(ARGV[5] / 1000))
if ARGV[10] ~= '' then remember_key(KEYS[8], KEYS[10], ARGV[10], ARGV[1], ARGV[11], now) end
return {1, ARGV[1], now, deadline, write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[9], ARGV[7], 0), left()}
