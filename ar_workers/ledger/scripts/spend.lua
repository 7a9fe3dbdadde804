-- uses: remotes
-- Takes one request out of a remote's allowance. ARGV: remote, may_use_reserve (1|0). Returns 0, or the ms to stay away.
local remote, may_use_reserve = ARGV[1], ARGV[2] == '1'
local key = remote_key(remote)
local row = fields_of(key, 'rates', 'blocked_until')
local blocked = (tonumber(row.blocked_until) or 0) - now
if blocked > 0 then return blocked end
if not row.rates then return 0 end
local found = buckets(key, row.rates)
local wait = shortage(found, 1, may_use_reserve)
if wait > 0 then return wait end
for n, each in ipairs(found) do redis.call('HSET', key, 'tokens' .. n, tostring(each.tokens - 1), 'at' .. n, now) end
return 0
