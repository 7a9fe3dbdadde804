-- Moves a feed's cursor on. ARGV: feed, where it is expected, where it goes, its seal. Returns 1, or 0 if another reader has moved it.
-- A repeated call, whose first reply was lost, finds it there already.
local feed, expected, new, seal = unpack(ARGV)
local current = redis.call('HGET', P .. 'cursors', feed) or ''
if current ~= expected and current ~= new then return 0 end
redis.call('HSET', P .. 'cursors', feed, new)
redis.call('HSET', P .. 'cursors:seals', feed, seal)
return 1
