-- Ends a visit. ARGV: row id, fence, state, reason, wait in ms, counts (1|0), keeps a receipt (1|0), receipt, reference,
-- evidence, how the remote is (ok|bad|''), its own wish to be left alone in ms.
-- Returns 'stale', or the rings {id, queue, label, lane, ...}.
local id, fence, to, reason, wait = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if not is_ours(id, fence) then return 'stale' end
local key, rings = row_key(id), {}
local row = get(id, 'was', 'threat', 'lane', 'cancel', 'reason', 'owner', 'remote', 'verb', 'performed_at', 'kind', 'digest')
local remote = row[7] or ''

if remote ~= '' then
  local remote_key, wish = P .. 'remote:' .. remote, tonumber(ARGV[12])
  if ARGV[11] == 'bad' then
    local failures = redis.call('HINCRBY', remote_key, 'failures', 1)
    if failures >= MOST_FAILURES then
      local open = math.min(LONGEST_OPEN, SHORTEST_OPEN * 2 ^ (failures - MOST_FAILURES))
      redis.call('HSET', remote_key, 'open_until', now + open)
    end
  elseif ARGV[11] == 'ok' then
    redis.call('HDEL', remote_key, 'failures', 'open_until')
  end
  if wish > 0 then
    local blocked = tonumber(redis.call('HGET', remote_key, 'blocked_until') or '0')
    redis.call('HSET', remote_key, 'blocked_until', math.max(blocked, now + wish))
  end
end

if to == 'pending' and row[4] then to, reason = 'cancelled', row[4] end
local changes = {}
local function set(name, value)
  changes[#changes + 1] = name
  changes[#changes + 1] = value
end
if ARGV[7] == '1' then set('receipt', ARGV[8]) end
if ARGV[9] ~= '' then set('reference', ARGV[9]) end
if ARGV[10] ~= '' then set('evidence', ARGV[10]) end
if to == 'pending' then set('begun', 0) end
if to == 'unknown' then set('looked_at', now) end
if to == 'pending' then redis.call('HDEL', key, 'looked_at') end
if to == 'held' then set('held_by', 'guard') end
if to == 'performed' and not row[9] then set('performed_at', now) end
if to == 'done' and row[10] == 'delivery' and ARGV[9] ~= '' and (row[11] or '') == '' then
  redis.call('HSETNX', P .. 'threat:' .. row[2], 'thread:' .. remote, ARGV[9])
end
if #changes > 0 then redis.call('HSET', key, unpack(changes)) end
if ARGV[6] == '1' then redis.call('HINCRBY', key, 'attempts', 1) end
if to == 'performed' then redis.call('HINCRBY', key, 'looks', 1) end
if row[8] == 'isolate' and (to == 'already' or to == 'skipped') then redis.call('ZREM', P .. 'isolations', id) end

if to == row[1] and reason == row[5] then -- one more look with nothing new: no line in the timeline
  redis.call('HSET', key, 'state', to, 'lease_until', 0)
  leave_lane(row[3], row[6], rings)
  leave_remote(remote, row[8], row[6], rings)
else
  leave(id, to, reason, rings)
end
if not TERMINAL[to] and to ~= 'held' then make_due(id, now + wait) end
return rings
