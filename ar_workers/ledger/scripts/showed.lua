-- uses: endpoints
-- A person had the EDR looked at for an endpoint that was listed as isolated. ARGV: lane, when it was last shown in ms as it was
-- listed, isolate|release as the EDR shows it now, evidence. Returns 1, or 0 if a worker has seen something since.
local lane, listed, shown, evidence = unpack(ARGV)
if redis.call('HGET', P .. 'endpoint:' .. lane, 'shown_at') ~= listed then return 0 end
if shown == 'release' then redis.call('HDEL', P .. 'endpoint:' .. lane, 'released_by') end -- by somebody elsewhere
show(lane, shown, evidence, '', '', false)
return 1
