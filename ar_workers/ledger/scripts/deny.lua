-- uses: moves
-- A person says that what a guard holds is not to be done. ARGV: row id, words (by whom and why). Returns {'yes', ring...} or
-- {'no', reason}; rung is what waited for it.
local id, words = ARGV[1], ARGV[2]
local row = get(id, 'state', 'threat', 'held_by')
if not row.state then return {'no', 'no such row'} end
if row.state ~= 'held' then return {'no', 'is ' .. row.state .. ': only held rows can be denied'} end
if not is_guard(row.held_by) then return {'no', 'is held by the kill switch (' .. row.held_by .. '), and by no guard'} end
local rings = {'yes'}
redis.call('SREM', P .. 'held', id)
enter(id, row.threat, 'held', 'cancelled', words)
free_dependents(id, rings)
return rings
