-- write_document: seal a rendered head with what only Redis knows, store it as the bytes that polls send,
-- and add it to the task's events, or only that there is one (`final`: it never changes any more, and its text is stored
-- once). `head` is a JSON object without its closing brace. The version is above `floor`, which clients have seen:
-- the server may have forgotten it.
local function write_document(task_key, status_key, events_key, head, ttl_s, floor, final)
  local version = redis.call('HINCRBY', task_key, 'version', 1)
  if version <= floor then version = redis.call('HINCRBY', task_key, 'version', floor + 1 - version) end
  local record = redis.call('HMGET', task_key, 'created_at', 'id', 'attempt')
  local document = head .. ',"created_at":"' .. record[1] .. '","task_id":"' .. record[2] .. '","attempt":' .. record[3]
    .. ',"version":' .. version .. '}'
  redis.call('SET', status_key, document, 'EX', ttl_s)
  redis.call('XADD', events_key, '*', 'status', final and '' or document)
  redis.call('EXPIRE', events_key, ttl_s)
  return document
end
