-- seal: a rendered head (a JSON object without its closing brace) with what only Redis knows of the task.
local function seal(task_key, head)
  local record = redis.call('HMGET', task_key, 'created_at', 'id', 'attempt', 'version', 'metadata')
  return head .. (record[5] and ',"metadata":' .. record[5] or '') .. ',"created_at":"' .. record[1] .. '","task_id":"' .. record[2]
    .. '","attempt":' .. record[3] .. ',"version":' .. record[4] .. '}'
end

-- write_document: seal a head, store it as the bytes that polls send, and add it to the task's events, or only that there
-- is one (`final`: it never changes any more, and its text is stored once). The version is above `floor`, which clients
-- have seen: the server may have forgotten it.
local function write_document(task_key, status_key, events_key, head, ttl_s, floor, final)
  local version = redis.call('HINCRBY', task_key, 'version', 1)
  if version <= floor then redis.call('HINCRBY', task_key, 'version', floor + 1 - version) end
  local document = seal(task_key, head)
  redis.call('SET', status_key, document, 'EX', ttl_s)
  redis.call('XADD', events_key, '*', 'status', final and '' or document)
  redis.call('EXPIRE', events_key, ttl_s)
  return document
end
