-- What the sweep rings. ARGV: limit, ms until each is due again. Returns {id, queue, label, lane, ...}. What would find
-- its remote closed is put off without a ring.
local limit, again = tonumber(ARGV[1]), tonumber(ARGV[2])
local rings, waits = {}, {}

local function closed_for(remote, urgent)
  local key = remote .. (urgent and '!' or '')
  if not waits[key] then waits[key] = {wait_for(remote, urgent)} end
  return unpack(waits[key])
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)) do
  if string.sub(id, 1, 6) == 'event/' then
    redis.call('ZADD', due, now + again, id)
    for _, part in ipairs({id, 'respond', 'plan ' .. id, ''}) do rings[#rings + 1] = part end
  else
    local row = get(id, 'queue', 'label', 'lane', 'remote', 'verb', 'state')
    local wait, why = closed_for(row[4] or '', URGENT[row[5]])
    if wait > 0 and row[6] ~= 'leased' then
      put_off(id, row[4], wait, why, URGENT[row[5]])
    else
      redis.call('ZADD', due, now + again, id)
      for _, part in ipairs({id, row[1], row[2], row[3] or ''}) do rings[#rings + 1] = part end
    end
  end
end
return rings
