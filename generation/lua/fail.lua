--- @include "fence"
--- @include "close_task"
-- fail: end a task without a result and give its hold back, in one step. Any stage may fail.
-- KEYS: 1 task  2 status  3 events  4 unfinished  6 account  7 ledger
-- ARGV: 1 owner  2 epoch  3 stage it ends in  4 head of the document  5 tokens used over the task's whole life
--       6 status ttl, s  7 reason for the ledger  8 version that the document follows
--       9 document that was written before and forgotten, or ''
-- Returns {1, document, tokens charged, ms since created} | {-1} gone | {-2} closed | {-3} fenced
-- Repeatable: the second call finds the task closed and changes nothing.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
return close_task(1, ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9])
