--- @include "clock"
--- @include "readable"
--- @include "refuse_submit"
-- draw_submits: take more from an account's bucket for a submit that it turned out not to be able to pay.
-- KEYS: 1 submits
-- ARGV: 1 what is taken, ms
-- Returns how far the bucket is drawn on, ms
-- Repeatable: a repetition takes it once more, and the account waits longer for its next submit.
check_type('string', {KEYS[1]})
local now = now_ms()
local drawn = now + drawn_ahead(KEYS[1], now) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', drawn), 'PX', drawn - now)
return drawn - now
