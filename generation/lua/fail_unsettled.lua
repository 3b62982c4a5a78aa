--- @include "fence"
--- @include "close_task"
-- fail_unsettled: end a task whose account or ledger cannot be read. Nothing of the money is written: settle_ended does that.
-- What an owner that was lost may have cost counts as when a task is stopped; an owner that is alive knows what it used.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  7 ledger
--       8 delivery  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
--       13 delivery of a push  14 push_subscriptions
-- ARGV: 1 owner  2 epoch, or '' for a task whose lease has run out  3 stage it ends in  4 head of the document
--       5 tokens used over the task's whole life, as far as is known  6 status ttl, s  7 reason for the ledger
--       8 head of the document for the webhook, '' for none  9 balance below which it is low, tokens, 0 for none
--       10 how long webhooks are kept, s  11 ms after which browsers are notified, -1 for never
--       12 tokens used by kind, '1,2,3,4,5' or ''
-- Returns {1, document, 0, ms since created, webhooks due} | {-1} gone | {-2} closed | {-3} fenced
-- Repeatable: the second call finds the task closed and changes nothing.
local record = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'lease_ms')
local by_owner = ARGV[2] ~= ''
local allowed = fence(KEYS[1], by_owner and ARGV[1] or record[1], by_owner and ARGV[2] or record[2])
if allowed == 1 and not by_owner and (tonumber(record[3]) or 0) > now_ms() then allowed = FENCED end
if allowed ~= 1 then return {allowed} end
return close_task(1, ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], 0, '', not by_owner, {ARGV[8], ARGV[9], ARGV[10], ARGV[11]}, ARGV[12], true)
