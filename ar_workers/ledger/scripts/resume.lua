-- uses: moves
-- Opens a kill switch and brings back what it held. ARGV: scope. Returns {id, queue, label, lane, ...}.
local scope, rings = ARGV[1], {}
redis.call('HDEL', P .. 'paused', scope)
for _, id in ipairs(redis.call('SMEMBERS', P .. 'held')) do
  local row = get(id, 'state', 'held_by', 'threat')
  if row.state ~= 'held' then
    redis.call('SREM', P .. 'held', id)
  elseif row.held_by == scope then
    redis.call('SREM', P .. 'held', id)
    bring_back(id, row.threat, 'held', 'resumed')
    add_ring(rings, id)
  end
end
return rings
