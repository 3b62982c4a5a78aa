-- read_documents: as many of the documents, in this order, as a number of bytes holds.
-- KEYS: 1 status and those after it
-- ARGV: 1 bytes  2 1 to return the first one whatever its size | 0
-- Returns {number of keys looked at, documents, which key each is of}; one that has expired or is none is passed over
-- Repeatable: reads only.
if not KEYS[1] then return {0, {}, {}} end
local left, first, documents, numbers = tonumber(ARGV[1]), ARGV[2] == '1', {}, {}
for i, key in ipairs(KEYS) do
  local ok, size = pcall(redis.call, 'STRLEN', key)
  if type(size) == 'number' and size > 0 then
    if size > left and not first then return {i - 1, documents, numbers} end
    documents[#documents + 1], numbers[#numbers + 1] = redis.call('GET', key), i
    left, first = left - size, false
  end
end
return {#KEYS, documents, numbers}
