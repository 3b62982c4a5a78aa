--- @include "fence"
--- @include "close_task"
-- complete: write the result and settle the hold, in one step.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  7 ledger
--       8 delivery  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
--       13 delivery of a push  14 push_subscriptions
-- ARGV: 1 owner  2 epoch  3 stage it ends in  4 head of the document  5 tokens used over the task's whole life
--       6 status ttl, s  7 reason for the ledger  8 version that the document follows
--       9 document that was written before and forgotten, or ''
--       10 head of the document for the webhook, '' for none  11 balance below which it is low, tokens, 0 for none
--       12 how long webhooks are kept, s  13 ms after which browsers are notified, -1 for never
--       14 tokens used by kind, '1,2,3,4,5' or ''
--       15… stages it may come from
-- Returns {1, document, tokens charged, ms since created, webhooks due} | {-1} gone | {-2} closed | {-3} fenced | {-7} the step is not allowed
-- Repeatable: the second call finds the task closed and changes nothing.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local stage = redis.call('HGET', KEYS[1], 'stage')
for i = 15, #ARGV do
  if ARGV[i] == stage then
    return close_task(1, ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9], false,
      {ARGV[10], ARGV[11], ARGV[12], ARGV[13]}, ARGV[14])
  end
end
return {-7}
