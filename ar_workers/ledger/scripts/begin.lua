-- uses: lanes remotes guards
-- The last question before a write. ARGV: row id, fence, least remaining lease in ms, caps as JSON, the shares of its endpoint's groups
-- as JSON, the kill switches of all customers as JSON, and the guards that a person has opened, comma after each: what the row itself
-- says of them is not sealed.
-- Returns 'go', or why not; the row has then been moved, unless it is somebody else's.
local id, fence, least, caps, shares, everyone, approved = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if not is_ours(id, fence) then return 'stale' end
local row = get(id, 'lease_until', 'cancel', 'verb', 'edr', 'lane', 'epoch', 'threat', 'was', 'owner', 'remote', 'dry', 'attempts')
row.approved = approved
acts('worker ' .. (row.owner or ''))
if tonumber(row.lease_until) - now < least then return 'stale' end
local to, reason, held_by = hindrance(id, row, caps, read_json(shares), everyone)
if to then
  if row.was == 'pending' and (row.attempts or '0') == '0' then uncount(id, row.verb, row.dry) end -- nothing was ever asked
  local changes = {'lease_until', 0}
  if held_by then changes = {'lease_until', 0, 'held_by', held_by} end
  enter(id, row.threat, row.was, to, reason, changes)
  local called = {} -- nobody takes these rings: the sweep's next look brings them
  local lane = lane_of(id, row)
  if lane ~= '' then leave_lane(lane, row.owner, 1, called) end
  if (row.remote or '') ~= '' then leave_remote(row.remote, row.verb, row.owner, 1, called) end
  for n = 1, #called, 4 do
    if redis.call('ZSCORE', due_key(called[n]), called[n]) then schedule(called[n], now) end -- what is held is not due
  end
  free_dependents(id, {})
  return to
end
redis.call('HSET', row_key(id), 'begun', 1, 'begun_at', now)
return 'go'
