-- is_full: has the account as many unfinished tasks as it may? Entries whose record is gone do not count and go: they
-- would block the account for ever. Each record lies in the account's slot, under the same name up to its id.
local function is_full(unfinished_key, task_key, task_id, allowed)
  if redis.call('ZCARD', unfinished_key) < allowed then return false end
  local before = string.sub(task_key, 1, #task_key - #task_id)
  for _, id in ipairs(redis.call('ZRANGE', unfinished_key, 0, 99)) do
    if redis.call('EXISTS', before .. id) == 0 then redis.call('ZREM', unfinished_key, id) end
  end
  return redis.call('ZCARD', unfinished_key) >= allowed
end

-- drawn_ahead: how far the bucket is drawn on, ms: 0 when it is full.
local function drawn_ahead(key, now) return math.max(0, (tonumber(redis.call('GET', key) or now) or now) - now) end

-- take_from_bucket: 0, or how long to wait, ms. The key holds until when the bucket is drawn on (GCRA): each submit adds
-- `interval`, and no more than `size` may lie ahead. One that adds 0 waits all the same for what others have taken beyond it.
-- Source: ITU-T I.371, generic cell rate algorithm.
local function take_from_bucket(key, now, interval, size)
  if interval == 0 then return math.max(0, drawn_ahead(key, now) - size) end
  local drawn = now + drawn_ahead(key, now) + interval
  if drawn - now > math.max(size, interval) then return drawn - now - math.max(size, interval) end
  redis.call('SET', key, string.format('%.0f', drawn), 'PX', drawn - now)
  return 0
end
