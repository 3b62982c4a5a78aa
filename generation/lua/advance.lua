--- @include "expectation"
--- @include "fence"
--- @include "readable"
--- @include "write_document"
-- advance: take a task one stage on.
-- KEYS: 1 task  2 status  3 events
-- ARGV: 1 owner  2 epoch  3 stage  4 progress, percent  5 head of the document  6 status ttl, s
--       7 when the end is expected: ms from now, 'same' as said before, '' not said
--       8 version that the document follows  9 input of the request that has gone out, an estimate in tokens, or 0
--       10… stages it may come from
-- Returns {1, document} | {-1} gone | {-2} closed | {-3} fenced | {-7} the step is not allowed
-- Repeatable: a task that stands at the stage already is left as it is.
check_type('stream', {KEYS[3]})
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local stage = redis.call('HGET', KEYS[1], 'stage')
if stage == ARGV[3] then
  return {1, redis.call('GET', KEYS[2]) or write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[5] .. expectation(KEYS[1], ARGV[7]), ARGV[6],
    tonumber(ARGV[8]))}
end
for i = 10, #ARGV do
  if ARGV[i] == stage then
    redis.call('HSET', KEYS[1], 'stage', ARGV[3], 'progress', ARGV[4])
    if ARGV[9] ~= '0' then redis.call('HSET', KEYS[1], 'estimate', ARGV[9]) end
    return {1, write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[5] .. expectation(KEYS[1], ARGV[7]), ARGV[6],
      tonumber(ARGV[8]))}
  end
end
return {-7}
