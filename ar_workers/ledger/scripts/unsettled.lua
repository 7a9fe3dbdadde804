-- What of a threat may be rung, in plan order. ARGV: threat id. Returns {id, queue, label, lane, ...}.
local rings = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'threat:' .. ARGV[1] .. ':rows', 0, -1)) do
  local state = get(id, 'state')[1]
  if state and not TERMINAL[state] and state ~= 'held' then add_ring(rings, id) end
end
return rings
