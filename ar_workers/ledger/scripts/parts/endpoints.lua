-- What the EDR last showed of an endpoint: whether it is off the network, whatever threat or person moved it.

-- It shows it so now (isolate|release), to a row of `threat`. `by_us`: because we asked. Since when it is isolated, and for which
-- threat, stays as it was first shown.
local function show(lane, shown, evidence, threat, host, by_us)
  local key = P .. 'endpoint:' .. lane
  local is_new = redis.call('HGET', key, 'shown') ~= shown
  redis.call('HSET', key, 'shown', shown, 'shown_at', now, 'evidence', evidence)
  if not is_new then return end
  if shown == 'isolate' then
    redis.call('HSET', key, 'since', now, 'threat', threat, 'host', host, 'is_ours', by_us and 1 or 0)
    redis.call('ZADD', P .. 'isolated', now, lane)
  else
    redis.call('ZREM', P .. 'isolated', lane)
  end
end
