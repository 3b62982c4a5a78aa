--- @include "clock"
-- forget_accounts: take accounts without unfinished tasks out of the index, unless they were noted a moment ago.
-- KEYS: 1 unfinished_accounts of a shard
-- ARGV: 1 how long ago they must have been noted, ms  2… account ids
-- Returns the number of accounts forgotten
-- Repeatable: an account that is not there stays away.
local before, forgotten = now_ms() - tonumber(ARGV[1]), 0
for i = 2, #ARGV do
  local noted = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if noted and tonumber(noted) <= before then forgotten = forgotten + redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return forgotten
