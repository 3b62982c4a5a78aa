--- @include "close_task"
-- cancel: end a task because its account asks for it, whoever owns it. The owner finds itself closed out.
-- KEYS: 1 task  2 status  3 events  4 unfinished  6 account  7 ledger
-- ARGV: 1 stage it ends in  2 head of the document  3 status ttl, s  4 reason for the ledger
--       5 tokens used over the task's whole life, as far as is known  6 document that was written before and forgotten, or ''
-- Returns {1, document, tokens charged, ms since created} | {-1} gone | {-2, document} closed before
-- Repeatable: the second call finds the task closed and changes nothing.
local record = redis.call('HMGET', KEYS[1], 'owner', 'closed')
if not record[1] then
  if ARGV[6] ~= '' then redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[3]) end
  return {-1}
end
if record[2] then return {-2, redis.call('GET', KEYS[2])} end
return close_task(1, ARGV[1], ARGV[2], ARGV[5], ARGV[3], ARGV[4], 0, ARGV[6], true)
