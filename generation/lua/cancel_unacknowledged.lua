--- @include "close_task"
-- cancel_unacknowledged: end a task whose submit was answered with an error, unless a repeated submit has returned it since.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  7 ledger
--       8 delivery  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
--       13 delivery of a push  14 push_subscriptions  15 idempotency
-- ARGV: 1 stage it ends in  2 head of the document  3 status ttl, s  4 reason for the ledger
-- Returns {1, document, tokens charged, ms since created, 0} | {2} a repetition returned it | {-1} gone
--       | {-2, document} closed before
-- Repeatable: the second call finds the task closed and changes nothing.
local record = redis.call('HMGET', KEYS[1], 'id', 'closed')
if not record[1] then return {-1} end
if record[2] then return {-2, redis.call('GET', KEYS[2])} end
local known = redis.call('HMGET', KEYS[15], 'task', 'returned')
if known[1] == record[1] then
  if known[2] then return {2} end
  redis.call('DEL', KEYS[15])  -- a repetition that comes now makes a task of its own
end
return close_task(1, ARGV[1], ARGV[2], 0, ARGV[3], ARGV[4], 0, '')
