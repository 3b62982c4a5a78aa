--- @include "fence"
-- publish: add a piece of Gemini's text to the task's events and note the tokens reported so far.
-- KEYS: 1 task  3 events
-- ARGV: 1 owner  2 epoch  3 number of this piece in its epoch, from 1  4 piece as JSON, '' for none
--       5 tokens used over the task's whole life  6 events ttl, s  7 the same tokens by kind, '1,2,3,4,5' or ''
-- Returns 1 | -1 gone | -2 closed | -3 fenced
-- Repeatable: a piece whose number was seen is not added again.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return allowed end
local record = redis.call('HMGET', KEYS[1], 'published', 'used')
if ARGV[4] ~= '' and tonumber(ARGV[3]) > (tonumber(record[1]) or 0) then
  redis.call('XADD', KEYS[3], '*', 'chunk', ARGV[4])
  redis.call('EXPIRE', KEYS[3], ARGV[6])
  redis.call('HSET', KEYS[1], 'published', ARGV[3])
end
if tonumber(ARGV[5]) > (tonumber(record[2]) or 0) then redis.call('HSET', KEYS[1], 'used', ARGV[5], 'kinds', ARGV[7]) end
return 1
