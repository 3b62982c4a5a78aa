--- @include "clock"
--- @include "named_kinds"
--- @include "note_usage"
--- @include "settle_tokens"
--- @include "tell_low"
-- settle_ended: settle a task that ended while its account or ledger could not be read (fail_unsettled).
-- KEYS: 1 task  4 unfinished  6 account  7 ledger  9 delivery of a low balance  10 deliveries_due  11 deliveries  12 usage
-- ARGV: 1 how long the task's record is kept from now on, s  2 balance below which it is low, tokens, 0 for none
--       3 how long webhooks are kept, s
-- Returns {1, tokens charged} | {-1} gone | {-2} settled before
-- Repeatable: the second call finds the task settled and changes nothing.
local record = redis.call('HMGET', KEYS[1], 'id', 'unsettled', 'hold', 'used', 'kinds', 'closed', 'stage', 'estimated', 'trace', 'request')
if not record[1] then return {-1} end
if not record[2] then return {-2} end
check_numbers(KEYS[1], 'hold', 'used')
check_type('zset', {KEYS[4], KEYS[10], KEYS[11]})
check_type('hash', {KEYS[9], KEYS[12]})
local kinds = named_kinds(record[5] or '')
local charged = settle_tokens(KEYS[6], KEYS[7], tonumber(record[3]), tonumber(record[4]), record[1], record[6],
  record[8] and true or false, kinds)
note_usage(KEYS[12], iso_time(now_ms()), record[7], charged, kinds)
redis.call('HSET', KEYS[1], 'hold', 0)
redis.call('HDEL', KEYS[1], 'unsettled')
redis.call('ZREM', KEYS[4], record[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
tell_low({KEYS[6], KEYS[9], KEYS[10], KEYS[11]}, record[1], tonumber(ARGV[2]), ARGV[3], charged, record[9] or '', record[10] or '')
return {1, charged}
