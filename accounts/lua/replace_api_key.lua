--- @include "readable"
-- replace_api_key: write the record of a key again that is there: one that a deletion has deleted stays so.
-- KEYS: 1 API keys
-- ARGV: 1 SHA-256 of the key  2 record, JSON
-- Returns 1 | -1 there is no such key
-- Repeatable: the same record is stored again.
check_type('hash', KEYS)
if not redis.call('HGET', KEYS[1], ARGV[1]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
