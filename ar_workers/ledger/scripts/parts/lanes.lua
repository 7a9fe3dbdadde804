-- uses: moves
-- One visit at a time works on an endpoint.

-- In a queue before the next one is called; Redis does nothing else meanwhile. If all are, the sweep calls.
local MOST_PASSED_OVER = 20

-- Who was served or put off meanwhile still stands in the queue, and is passed over.
local function ring_next(queue, rings)
  for _ = 1, MOST_PASSED_OVER do
    local next = redis.call('ZPOPMIN', queue)
    if not next[1] then return end
    local row = get(next[1], 'state', 'lease_until', 'next_at')
    if row.state and not unclaimable(row) then return add_ring(rings, next[1]) end
  end
end

-- A visit leaves an endpoint once it holds none of its rows any more.
local function leave_lane(lane, owner, rows, rings)
  local key = P .. 'lane:' .. lane
  local holder = fields_of(key, 'owner', 'held')
  if holder.owner ~= owner then return end
  if holder.held - rows > 0 then return redis.call('HSET', key, 'held', holder.held - rows) end
  redis.call('DEL', key)
  ring_next(key .. ':queue', rings)
end
