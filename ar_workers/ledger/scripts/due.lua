-- What the sweep rings. ARGV: limit, ms until each is due again. Returns {id, queue, label, lane, ...}.
local limit, again = tonumber(ARGV[1]), tonumber(ARGV[2])
local rings = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)) do
  redis.call('ZADD', due, now + again, id)
  if string.sub(id, 1, 6) == 'event/' then
    for _, part in ipairs({id, 'respond', 'plan ' .. id, ''}) do rings[#rings + 1] = part end
  else
    add_ring(rings, id)
  end
end
return rings
