-- uses: moves
-- A person says what became of a delivery in doubt. ARGV: row id, by whom, was sent (1|0), their sealed word.
-- Returns {'yes', ring...} or {'no', reason}.
local id, by, was_sent = ARGV[1], ARGV[2], ARGV[3] == '1'
local row = get(id, 'state', 'threat', 'kind', 'created_at', 'deadline')
if not row.state then return {'no', 'no such row'} end
if row.kind == 'action' then return {'no', 'is an action: its EDR is looked at instead'} end
if row.state ~= 'unknown' then return {'no', 'is ' .. row.state .. ': only unknown deliveries can be resolved'} end

local rings = {'yes'}
keep_word(id, ARGV[4])
if was_sent then
  enter(id, row.threat, 'unknown', 'done', 'said to have been sent by ' .. by)
  return rings
end
redis.call('HDEL', row_key(id), 'begun_at', 'looked_at')
redis.call('HSET', row_key(id), 'attempts', 0, 'crashes', 0, 'looks', 0, 'begun', 0, 'receipt', '', 'deadline', now + row.deadline - row.created_at)
bring_back(id, row.threat, 'unknown', 'to be sent again, says ' .. by)
add_ring(rings, id)
return rings
