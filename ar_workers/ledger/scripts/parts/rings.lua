-- Rings are flat lists: id, queue, label, lane, id, ...
local function append_ring(rings, id, row)
  local n = #rings
  rings[n + 1], rings[n + 2], rings[n + 3], rings[n + 4] = id, row.queue, row.label, row.lane or ''
end

local function add_ring(rings, id)
  local row = get(id, 'queue', 'label', 'lane')
  if row.queue then append_ring(rings, id, row) end
end

-- What of a threat may be rung, in plan order.
local function unsettled(threat)
  local rings = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'threat:' .. threat .. ':rows', 0, -1)) do
    local row = get(id, 'state', 'queue', 'label', 'lane')
    if row.state and row.queue and not TERMINAL[row.state] and row.state ~= 'held' then append_ring(rings, id, row) end
  end
  return rings
end
