-- uses: moves guards
-- Brings back what kill switches held. ARGV: the scope of the one that a person opens, or '' for whatever is open by now: the end of its
-- pause has come, or who opened it was lost before all was back; what is noted; the kill switches of all customers as JSON.
-- Returns {the pauses that ended, in words; id, queue, label, lane, ...}.
local scope, words, everyone = ARGV[1], ARGV[2], ARGV[3]
local ended, is_open = {}, {}
if scope ~= '' then
  if redis.call('HDEL', P .. 'paused', scope) == 1 then to_record('', 'switch/' .. scope, words) end
else
  ended = drop_ended(P .. 'paused')
end

local function comes_back(held_by)
  if scope ~= '' then return held_by == scope end
  if not is_switch(held_by) then return false end
  if is_open[held_by] == nil then is_open[held_by] = not is_closed(held_by, everyone) end
  return is_open[held_by]
end

local answer = {ended}
for _, id in ipairs(redis.call('SMEMBERS', P .. 'held')) do
  local row = get(id, 'state', 'held_by', 'threat')
  if row.state ~= 'held' then
    redis.call('SREM', P .. 'held', id)
  elseif comes_back(row.held_by) then
    redis.call('SREM', P .. 'held', id)
    bring_back(id, row.threat, 'held', words)
    add_ring(answer, id)
  end
end
return answer
