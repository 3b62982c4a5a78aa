--- @include "close_task"
-- cancel: end a task at its account's request, whoever owns it. The owner's next write is refused.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  7 ledger
--       8 delivery  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
--       13 delivery of a push  14 push_subscriptions  15 idempotency
-- ARGV: 1 stage it ends in  2 head of the document  3 status ttl, s  4 reason for the ledger
--       5 tokens used over the task's whole life, as far as is known  6 document that was written before and forgotten, or ''
--       7 head of the document for the webhook, '' for none  8 balance below which it is low, tokens, 0 for none
--       9 how long webhooks are kept, s  10 ms after which browsers are notified, -1 for never  11 the tokens used by kind, '1,2,3,4,5' or ''
--       12 1 when its client has gone: not if a repetition of its submit has returned it, and one that comes later makes another | 0
--       13 input of a request that has gone out and is not noted yet, an estimate in tokens, or 0
-- Returns {1, document, tokens charged, ms since created, webhooks due} | {2} a repetition returned it | {-1} gone
--       | {-2, document} closed before
-- Repeatable: the second call finds the task closed and changes nothing.
local record = redis.call('HMGET', KEYS[1], 'owner', 'closed', 'id')
if not record[1] then
  local account = redis.call('HMGET', KEYS[6], 'created_at', 'closed_at', 'created_ms')
  local submitted = string.match(ARGV[6], '"created_at":"([^"]+)","task_id":"') or ''
  local is_older = iso_time(tonumber(account[3]) or 0) <= submitted
  -- Else it may be deleted, and nothing of it comes back, also when it was made anew since.
  if ARGV[6] ~= '' and account[1] and (account[2] or '') == '' and is_older then redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[3]) end
  return {-1}
end
if record[2] then return {-2, redis.call('GET', KEYS[2])} end
if ARGV[12] == '1' then
  local known = redis.call('HMGET', KEYS[15], 'task', 'returned')
  if known[1] == record[3] then
    if known[2] then return {2} end
    redis.call('DEL', KEYS[15])
  end
end
if tonumber(ARGV[13]) > 0 then redis.call('HSET', KEYS[1], 'estimate', ARGV[13]) end
return close_task(1, ARGV[1], ARGV[2], ARGV[5], ARGV[3], ARGV[4], 0, ARGV[6], true, {ARGV[7], ARGV[8], ARGV[9], ARGV[10]}, ARGV[11])
