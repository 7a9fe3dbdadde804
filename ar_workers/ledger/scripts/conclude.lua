-- Ends a visit. ARGV: row id, fence, state, reason, wait in ms, counts (1|0), keeps a receipt (1|0), receipt, reference,
-- evidence. Returns 'stale', or the rings {id, queue, label, lane, ...}.
local id, fence, to, reason, wait = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if not is_ours(id, fence) then return 'stale' end
local key, rings = row_key(id), {}
local row = get(id, 'was', 'threat', 'lane', 'cancel', 'reason')

if to == 'pending' and row[4] then to, reason = 'cancelled', row[4] end
if ARGV[7] == '1' then redis.call('HSET', key, 'receipt', ARGV[8]) end
if ARGV[9] ~= '' then redis.call('HSET', key, 'reference', ARGV[9]) end
if ARGV[10] ~= '' then redis.call('HSET', key, 'evidence', ARGV[10]) end
if ARGV[6] == '1' then redis.call('HINCRBY', key, 'attempts', 1) end
if to == 'performed' then
  redis.call('HSETNX', key, 'performed_at', now)
  redis.call('HINCRBY', key, 'looks', 1)
end
if to == 'pending' then redis.call('HSET', key, 'begun', 0) end
if to == 'held' then redis.call('HSET', key, 'held_by', 'guard') end

if to == row[1] and reason == row[5] then -- one more look with nothing new: no line in the timeline
  redis.call('HSET', key, 'state', to, 'lease_until', 0)
  leave_lane(id, row[3], rings)
else
  leave(id, to, reason, rings)
end
if not TERMINAL[to] and to ~= 'held' then make_due(id, now + wait) end
return rings
