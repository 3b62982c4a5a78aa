--- @include "clock"
--- @include "fence"
--- @include "readable"
--- @include "refuse_submit"
-- draw_submits: take more from an account's bucket for a submit that it turned out not to be able to pay.
-- KEYS: 1 task  8 submits
-- ARGV: 1 owner  2 epoch  3 what is taken, ms  4 what the bucket holds, ms: no more than once 3 lies beyond it
-- Returns 1 | -1 gone | -2 closed | -3 fenced
-- Repeatable: what was taken for the task is not taken again.
-- A task that is over takes nothing: its account may be deleted, and the bucket with it.
check_type('string', {KEYS[8]})
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return allowed end
if redis.call('HGET', KEYS[1], 'drawn') then return 1 end
redis.call('HSET', KEYS[1], 'drawn', 1)
local now = now_ms()
local drawn = now + math.min(drawn_ahead(KEYS[8], now), tonumber(ARGV[4])) + tonumber(ARGV[3])
redis.call('SET', KEYS[8], string.format('%.0f', drawn), 'PX', drawn - now)
return 1
