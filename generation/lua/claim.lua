--- @include "close_task"
-- claim: take over a task whose lease ran out, or end it when it has had its attempts or its time.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  7 ledger
--       8 delivery  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
--       13 delivery of a push  14 push_subscriptions
-- ARGV: 1 new owner  2 lease, ms  3 attempts allowed  4 stage to begin at  5 stage it ends in when it cannot go on
--       6 head of that document  7 status ttl, s  8 reason for the ledger  9 task id
--       10 stage at which an owner's end counts against the task  11 how many owners may end there
--       12 head of the document for the webhook, '' for none  13 balance below which it is low, tokens, 0 for none
--       14 how long webhooks are kept, s  15 ms after which browsers are notified, -1 for never
--       16 stage at which a request is with Gemini
-- Returns {1, epoch, attempt, progress, manual prompt, tokens used, now ms, deadline ms, steering, created ms,
--         kinds of tokens used, estimated input of a request whose owner was lost or 0, trace context of the submit,
--         its request id}
--       | {3, document, tokens charged, ms since created, webhooks due, trace context of the submit, its request id} ended
--       | {-1} gone | {-2} closed | {-12} ended and not settled | {-10, lease ms} the lease still runs
-- Repeatable: an owner that claimed, lost the answer and claims again before it began gets the same claim.
local record = redis.call('HMGET', KEYS[1], 'owner', 'closed', 'lease_ms', 'attempt', 'deadline_ms', 'progress', 'manual_prompt', 'used',
  'stage', 'epoch', 'steering', 'created_ms', 'kinds', 'trace', 'unsettled', 'request', 'estimate', 'lost_estimate')
if not record[1] then
  redis.call('ZREM', KEYS[4], ARGV[9])  -- it would block the account for ever
  return {-1}
end
if record[15] then return {-12} end
if record[2] then return {-2} end
local now = now_ms()
if tonumber(record[3]) > now then
  if record[1] ~= ARGV[1] or record[9] ~= ARGV[4] then return {-10, tonumber(record[3])} end
  return {1, tonumber(record[10]), tonumber(record[4]), tonumber(record[6]), record[7], tonumber(record[8]), now, tonumber(record[5]), record[11] or '',
    tonumber(record[12]), record[13] or '', tonumber(record[18] or '0'), record[14] or '', record[16] or ''}
end
local felled = tonumber(redis.call('HGET', KEYS[1], 'felled') or '0') + (record[9] == ARGV[10] and 1 or 0)
if felled >= tonumber(ARGV[11]) or tonumber(record[4]) >= tonumber(ARGV[3]) or tonumber(record[5]) <= now then
  local ended = close_task(3, ARGV[5], ARGV[6], 0, ARGV[7], ARGV[8], 0, '', true, {ARGV[12], ARGV[13], ARGV[14], ARGV[15]})
  ended[6], ended[7] = record[14] or '', record[16] or ''
  return ended
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local attempt = redis.call('HINCRBY', KEYS[1], 'attempt', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'lease_ms', now + tonumber(ARGV[2]), 'stage', ARGV[4], 'published', 0, 'felled', felled)
local lost = record[9] == ARGV[16] and record[17] or record[18]
if lost then redis.call('HSET', KEYS[1], 'lost_estimate', lost) end
return {1, epoch, attempt, tonumber(record[6]), record[7], tonumber(record[8]), now, tonumber(record[5]), record[11] or '',
    tonumber(record[12]), record[13] or '', tonumber(lost or '0'), record[14] or '', record[16] or ''}
