-- Takes records of a feed off the list of those that could not be read. ARGV: feed, how long a mark lives in ms where a person has
-- looked at them, and is not told of them again, or 0; their keys. Returns how many there were.
-- Where a person has looked at the last, what was counted is forgotten, too.
local feed, memory = ARGV[1], ARGV[2]
local records, kinds = P .. 'refused:' .. feed, P .. 'refused:' .. feed .. ':kinds'
local gone = 0
for n = 3, #ARGV do
  if redis.call('HDEL', records, ARGV[n]) == 1 then
    gone = gone + 1
    if memory ~= '0' then redis.call('SET', records .. ':mark:' .. ARGV[n], 'forgotten', 'PX', memory) end
  end
end
local is_empty = redis.call('EXISTS', records) == 0
if memory ~= '0' and is_empty then redis.call('HDEL', P .. 'refused', feed) end
if is_empty and redis.call('HGET', P .. 'refused', feed) == '0' then redis.call('HDEL', P .. 'refused', feed) end
if gone > 0 then
  local left = {}
  for _, text in ipairs(redis.call('HVALS', records)) do left[string.match(text, '^%d+ (%x+)')] = true end
  for _, kind in ipairs(redis.call('HKEYS', kinds)) do
    if not left[kind] then redis.call('HDEL', kinds, kind) end -- the next of its kind is told anew
  end
end
return gone
