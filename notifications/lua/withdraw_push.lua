-- withdraw_push: forget a notification that is still to be sent, because somebody has seen the end.
-- KEYS: 1 delivery of a push  2 deliveries_due  3 deliveries
-- ARGV: 1 its id
-- Returns 1 | 0 there is none to be sent
-- Repeatable: the second call finds nothing.
if redis.call('HGET', KEYS[1], 'state') ~= 'pending' then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
