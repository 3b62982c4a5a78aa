-- check_type, check_numbers: end a script that would meet a record that is none of ours, before it has written anything:
-- Redis takes nothing back. The error names the key. A user who may not ask for types checks none.
local function check_type(kind, keys)
  for _, key in ipairs(keys) do
    local found = redis.pcall('TYPE', key).ok
    if found and found ~= 'none' and found ~= kind then error(redis.error_reply('UNREADABLE ' .. key)) end
  end
end

-- Members of a hash that are there are whole numbers.
local function check_numbers(key, ...)
  check_type('hash', {key})
  for _, value in ipairs(redis.call('HMGET', key, ...)) do
    if value and not string.find(value, '^%-?%d+$') then error(redis.error_reply('UNREADABLE ' .. key)) end
  end
end
