-- The last question before a write. ARGV: row id, fence, least remaining lease in ms, most isolations an hour or -1.
-- Returns 'go', or why not; the row has then been moved, unless it is somebody else's.
local id, fence, least, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if not is_ours(id, fence) then return 'stale' end
local row = get(id, 'lease_until', 'cancel', 'verb', 'edr', 'lane', 'epoch', 'approved')
if tonumber(row[1]) - now < least then return 'stale' end
local to, reason, held_by = hindrance(id, row[3], row[4], row[5], row[6], row[2], row[7], most)
if to then
  if held_by then redis.call('HSET', row_key(id), 'held_by', held_by) end
  leave(id, to, reason, {})
  return to
end
redis.call('HSET', row_key(id), 'begun', 1, 'begun_at', now)
return 'go'
