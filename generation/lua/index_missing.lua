-- index_missing: note as due now the tasks that the index lost; an entry that is there came from who knows better.
-- KEYS: 1 leases of a shard
-- ARGV: 1… members
-- Returns the number of members that were not there before
-- Repeatable: what is there stays as it is.
local arguments = {}
for i = 1, #ARGV do
  arguments[#arguments + 1] = 0
  arguments[#arguments + 1] = ARGV[i]
end
return redis.call('ZADD', KEYS[1], 'NX', unpack(arguments))
