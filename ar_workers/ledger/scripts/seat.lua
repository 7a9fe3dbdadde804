-- Whether a delivery is sent alone or in a digest. ARGV: row id, what is counted together, most sent alone, window in ms.
-- Returns {} for alone, or {the row that is sent for all, ms until then}. The same row gets the same answer for ever.
local id, key, most, within = ARGV[1], P .. 'digest:' .. ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local seat = get(id, 'digest', 'digest_at')
if seat[1] == '' then return {} end
if seat[1] then return {seat[1], math.max(0, seat[2] - now)} end

local window = redis.call('HMGET', key, 'ends', 'count', 'carrier')
local ends, count, carrier = tonumber(window[1]), (tonumber(window[2]) or 0) + 1, window[3]
if not ends or ends <= now then
  redis.call('DEL', key)
  ends, count, carrier = now + within, 1, nil
end
redis.call('HSET', key, 'ends', ends, 'count', count)
redis.call('PEXPIRE', key, ends - now + 1000)
if count <= most then
  redis.call('HSET', row_key(id), 'digest', '')
  return {}
end
carrier = carrier or id
redis.call('HSET', key, 'carrier', carrier)
redis.call('RPUSH', row_key(carrier) .. ':gathered', id)
redis.call('HSET', row_key(id), 'digest', carrier, 'digest_at', ends)
return {carrier, ends - now}
