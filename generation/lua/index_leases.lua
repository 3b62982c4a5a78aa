--- @include "clock"
-- index_leases: note when leases should end. A hint: the records are the truth.
-- KEYS: 1 lease index
-- ARGV: 1 time from now until they end, ms  2… members
-- Returns the number of members that were not there before
-- Repeatable: the later call wins.
local ends = now_ms() + tonumber(ARGV[1])
local arguments = {}
for i = 2, #ARGV do
  arguments[#arguments + 1] = ends
  arguments[#arguments + 1] = ARGV[i]
end
return redis.call('ZADD', KEYS[1], unpack(arguments))
