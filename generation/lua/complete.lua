--- @include "fence"
--- @include "close_task"
-- complete: write the result and settle the hold, in one step.
-- KEYS: 1 task  2 status  3 events  4 unfinished  6 account  7 ledger
-- ARGV: 1 owner  2 epoch  3 stage it ends in  4 head of the document  5 tokens used over the task's whole life
--       6 status ttl, s  7 reason for the ledger  8 version that the document follows
--       9 document that was written before and forgotten, or ''  10… stages it may come from
-- Returns {1, document, tokens charged, ms since created} | {-1} gone | {-2} closed | {-3} fenced | {-7} the step is not allowed
-- Repeatable: the second call finds the task closed and changes nothing.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local stage = redis.call('HGET', KEYS[1], 'stage')
for i = 10, #ARGV do
  if ARGV[i] == stage then return close_task(1, ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9]) end
end
return {-7}
