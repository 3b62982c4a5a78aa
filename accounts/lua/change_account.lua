--- @include "readable"
-- change_account: set members of an account's record that are no money.
-- KEYS: 1 account
-- ARGV: 1… names of members, each with its new value after it
-- Returns 1 | -1 no such account
-- Repeatable: the same values are set again.
check_type('hash', {KEYS[1]})
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
