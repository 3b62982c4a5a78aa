-- index_missing: add the tasks that the index lost, as due now; an existing entry is newer and stays.
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
