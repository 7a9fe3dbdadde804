-- Makes the index of isolated endpoints complete: versions before it kept none. ARGV: lane, lane, ... of all endpoints on record.
for _, lane in ipairs(ARGV) do
  local row = fields_of(P .. 'endpoint:' .. lane, 'shown', 'shown_at')
  if row.shown == 'isolate' then redis.call('ZADD', P .. 'isolated', 'NX', row.shown_at, lane) end
end
redis.call('HSET', P .. 'indexed', 'isolated', 1)
return 1
