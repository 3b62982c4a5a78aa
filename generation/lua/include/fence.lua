-- fence: may this owner still write? Returns 1, or why not: -1 gone, -2 closed (terminal), -3 fenced (another owner or epoch).
local GONE, CLOSED, FENCED = -1, -2, -3
local function fence(task_key, owner, epoch)
  local record = redis.call('HMGET', task_key, 'closed', 'owner', 'epoch')
  if not record[2] then return GONE end
  if record[1] then return CLOSED end
  if record[2] ~= owner or record[3] ~= epoch then return FENCED end
  return 1
end
