-- Keeps a record of a feed that could not be read. ARGV: feed, key, kind, JSON, most kept, most kinds, how long a mark lives in ms.
-- Returns kept, known or dropped, and since when records of its kind are refused; '' of kinds that are too many.
local feed, key, kind, json, most, most_kinds, memory = unpack(ARGV)
local records, kinds, mark = P .. 'refused:' .. feed, P .. 'refused:' .. feed .. ':kinds', P .. 'refused:' .. feed .. ':mark:' .. key
local known, marked = redis.call('HGET', records, key), redis.call('GET', mark)
if not known and marked == 'forgotten' then return {'known', ''} end

redis.call('HSETNX', P .. 'refused', feed, 0)
local fate = 'known'
if known then
  redis.call('HSET', records, key, string.match(known, '^%d+') .. ' ' .. kind .. ' ' .. json)
elseif redis.call('HLEN', records) < tonumber(most) then
  redis.call('HSET', records, key, string.format('%.0f', now) .. ' ' .. kind .. ' ' .. json)
  if marked then
    redis.call('DEL', mark)
    redis.call('HINCRBY', P .. 'refused', feed, -1)
  end
  fate = 'kept'
else
  if not marked then
    redis.call('HINCRBY', P .. 'refused', feed, 1)
    fate = 'dropped'
  end
  redis.call('SET', mark, 'dropped', 'PX', memory)
end
local since = redis.call('HGET', kinds, kind)
if not since and redis.call('HLEN', kinds) < tonumber(most_kinds) then
  since = string.format('%.0f', now)
  redis.call('HSET', kinds, kind, since)
end
return {fate, since or ''}
