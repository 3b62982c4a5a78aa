--- @include "clock"
--- @include "readable"
--- @include "remember_key"
--- @include "write_document"
-- restore: write the record of a task again that the server forgot (a failover, a crash) while its owner still has it.
-- KEYS: 1 task  2 status  3 events  4 unfinished  5 tasks  6 account  8 idempotency  9 idempotency_keys
-- ARGV: 1 task id  2 owner  3 manual prompt  4 lease, ms  5 deadline, ms from now  6 created, ms since 1970
--       7 status ttl, s  8 stage  9 head of the document  10 epoch  11 attempt  12 progress that clients saw, percent
--       13 version that the document follows  14 the steering beside the prompt, JSON or ''
--       15 SHA-256 of the body, '' without idempotency key  16 idempotency ttl, s  17 tokens used so far
--       18 input of the request that has gone out, an estimate in tokens, or 0
--       19 the tokens used by kind, '1,2,3,4,5' or ''
--       20 metadata that every document repeats, JSON or ''
--       21 trace context of the submit, or ''  22 its request id, or ''
--       23 estimated input of a request whose owner was lost, tokens, or 0
-- Returns {1, document} restored | {-2} its final document is there | {-3} there is a record
--       | {-4} no account, a closed one, or one that was made anew since: its tasks may have been deleted
-- Repeatable: a record of this owner and epoch is returned as restored.
check_type('hash', {KEYS[1], KEYS[6], KEYS[8]})
check_type('stream', {KEYS[3]})
check_type('zset', {KEYS[4], KEYS[5], KEYS[9]})
local now = now_ms()
if redis.call('EXISTS', KEYS[6]) == 0 then return {-4} end
local record = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if record[1] == ARGV[2] and record[2] == ARGV[10] then
  return {1, redis.call('GET', KEYS[2]) or write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[9], ARGV[7], tonumber(ARGV[13]))}
end
if record[1] then return {-3} end
local account, created = redis.call('HMGET', KEYS[6], 'closed_at', 'created_ms'), tonumber(ARGV[6])
if (account[1] or '') ~= '' or (tonumber(account[2]) or 0) > created then return {-4} end
if string.find(redis.call('GET', KEYS[2]) or '', '"completed_at":"', 1, true) then return {-2} end
local deadline = now + tonumber(ARGV[5])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'manual_prompt', ARGV[3], 'created_at', iso_time(created), 'created_ms', created,
  'deadline_ms', deadline, 'stage', ARGV[8], 'owner', ARGV[2], 'epoch', ARGV[10], 'lease_ms', now + tonumber(ARGV[4]),
  'attempt', ARGV[11], 'progress', ARGV[12], 'hold', 0, 'used', ARGV[17], 'published', 0, 'version', ARGV[13])
if ARGV[18] ~= '0' then redis.call('HSET', KEYS[1], 'estimate', ARGV[18]) end
if ARGV[23] ~= '0' then redis.call('HSET', KEYS[1], 'lost_estimate', ARGV[23]) end
if ARGV[19] ~= '' then redis.call('HSET', KEYS[1], 'kinds', ARGV[19]) end
if ARGV[20] ~= '' then redis.call('HSET', KEYS[1], 'metadata', ARGV[20]) end
if ARGV[14] ~= '' then redis.call('HSET', KEYS[1], 'steering', ARGV[14]) end
if ARGV[21] ~= '' then redis.call('HSET', KEYS[1], 'trace', ARGV[21]) end
if ARGV[22] ~= '' then redis.call('HSET', KEYS[1], 'request', ARGV[22]) end
redis.call('ZADD', KEYS[4], deadline, ARGV[1])
redis.call('ZADD', KEYS[5], created, ARGV[1])
redis.call('EXPIRE', KEYS[5], 2 * ARGV[7] + math.ceil(ARGV[5] / 1000))
if ARGV[15] ~= '' and redis.call('EXISTS', KEYS[8]) == 0 then remember_key(KEYS[8], KEYS[9], ARGV[15], ARGV[1], ARGV[16], now) end
return {1, write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[9], ARGV[7], 0)}
