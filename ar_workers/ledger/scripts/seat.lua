-- Whether a delivery is sent alone or in a digest. ARGV: row id, what is counted together, most sent alone, window in ms.
-- Returns {} for alone, or {the row that is sent for all, ms until then}. The same row gets the same answer for ever.
local id, key, most, within = ARGV[1], P .. 'digest:' .. ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local seat = get(id, 'digest', 'digest_at')
if seat.digest == '' then return {} end
if seat.digest then return {seat.digest, math.max(0, seat.digest_at - now)} end

local window = fields_of(key, 'ends', 'count', 'carrier')
local ends, count, carrier = tonumber(window.ends), (tonumber(window.count) or 0) + 1, window.carrier
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
