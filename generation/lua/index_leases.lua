--- @include "clock"
-- index_leases: note when leases should end and which accounts have unfinished tasks. Hints: the records are the truth.
-- KEYS: 1 leases of a shard  2 unfinished_accounts of the shard
-- ARGV: 1 time from now until they end, ms  2… member and account id of each, in turn
-- Returns the number of members that were not there before
-- Repeatable: the later call wins.
local now = now_ms()
local ends = now + tonumber(ARGV[1])
local leases, accounts = {}, {}
for i = 2, #ARGV, 2 do
  leases[#leases + 1] = ends
  leases[#leases + 1] = ARGV[i]
  accounts[#accounts + 1] = now
  accounts[#accounts + 1] = ARGV[i + 1]
end
redis.call('ZADD', KEYS[2], unpack(accounts))
return redis.call('ZADD', KEYS[1], unpack(leases))
