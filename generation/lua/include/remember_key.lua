-- remember_key: note which task an Idempotency-Key stands for, and the key in the account's index, by which a deletion finds it.
-- key: of the idempotency, whose name ends in the SHA-256; ttl_s: how long it counts.
local function remember_key(key, index_key, body, task_id, ttl_s, now)
  redis.call('HSET', key, 'body', body, 'task', task_id)
  redis.call('EXPIRE', key, ttl_s)
  redis.call('ZREMRANGEBYSCORE', index_key, '-inf', now)
  redis.call('ZADD', index_key, now + 1000 * ttl_s, string.sub(key, -64))
  redis.call('EXPIRE', index_key, ttl_s, 'NX')
  redis.call('EXPIRE', index_key, ttl_s, 'GT')  -- a key without an end has none that is later
end
