-- named_kinds: pairs of a kind of tokens and how many of them were used, from '1,2,3,4,5' or ''; those of none are left out.
local KINDS = {'input', 'output', 'thoughts', 'cached', 'tool'}
local function named_kinds(kinds)
  local named, at = {}, 0
  for count in string.gmatch(kinds, '%d+') do
    at = at + 1
    if count ~= '0' then named[#named + 1] = {KINDS[at], count} end
  end
  return named
end
