--- @include "clock"
-- note_delivery: record that a webhook is due: its record, its time, and its place in the account's list.
-- A record that is there stays as it is.
-- due_in: ms from now; trace and request: trace context and id of the submit, or nothing.
local function note_delivery(record_key, due_key, list_key, id, kind, body, kept_s, due_in, trace, request)
  if redis.call('EXISTS', record_key) == 1 then return 0 end
  local now = now_ms()
  redis.call('HSET', record_key, 'id', id, 'type', kind, 'body', body, 'created_ms', now, 'state', 'pending', 'tries', 0, 'due_ms', now + due_in,
    'last', '', 'trace', trace or '', 'request', request or '')
  redis.call('EXPIRE', record_key, kept_s)
  redis.call('ZADD', due_key, now + due_in, id)
  redis.call('ZREMRANGEBYSCORE', list_key, '-inf', now - kept_s * 1000)
  redis.call('ZADD', list_key, now, id)
  redis.call('EXPIRE', due_key, kept_s)
  redis.call('EXPIRE', list_key, kept_s)
  return 1
end
