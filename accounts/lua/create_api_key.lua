--- @include "readable"
-- create_api_key: store a key of an account that is open, in one step.
-- KEYS: 1 account  2 API keys
-- ARGV: 1 SHA-256 of the key  2 record, JSON
-- Returns 1 | -1 no such account | -2 it is closed
-- Repeatable: the same record is stored again; a key that was revoked meanwhile stays so.
check_type('hash', KEYS)
local account = redis.call('HMGET', KEYS[1], 'created_at', 'closed_at')
if not account[1] then return -1 end
if (account[2] or '') ~= '' then return -2 end
if not redis.call('HGET', KEYS[2], ARGV[1]) then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
return 1
