-- uses: moves remotes undos
-- Prolongs a lease whose worker is alive. ARGV: row id, fence, lease in ms. Returns 1, or 0 if the row is somebody else's now
-- or the lease has ended: its lane and its remote have been let go, and its worker has been asleep.
local id, fence, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not is_ours(id, fence) then return 0 end
local row = get(id, 'lane', 'owner', 'remote', 'verb', 'lease_until')
if tonumber(row.lease_until) <= now then return 0 end
redis.call('HSET', row_key(id), 'lease_until', now + lease)
schedule(id, now + lease + 1)
local works_in = lane_of(id, row)
local lane = P .. 'lane:' .. works_in
if works_in ~= '' and redis.call('HGET', lane, 'owner') == row.owner then
  redis.call('HSET', lane, 'until', now + lease)
  redis.call('PEXPIRE', lane, lease)
end
if (row.remote or '') ~= '' then redis.call('ZADD', busy_key(row.remote, row.verb), 'XX', now + lease, row.owner) end
return 1
