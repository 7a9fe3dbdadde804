-- Opens a kill switch and brings back what it held. ARGV: scope, grace in ms. Returns {id, queue, label, lane, ...}.
local scope, rings = ARGV[1], {}
redis.call('HDEL', P .. 'paused', scope)
for _, id in ipairs(redis.call('SMEMBERS', P .. 'held')) do
  local row = get(id, 'state', 'held_by', 'threat')
  if row[1] ~= 'held' then
    redis.call('SREM', P .. 'held', id)
  elseif row[2] == scope then
    redis.call('SREM', P .. 'held', id)
    bring_back(id, row[3], 'held', 'resumed')
    add_ring(rings, id)
  end
end
return rings
