-- uses: moves
-- A person says that what a guard holds is not to be done. ARGV: row id, words (by whom and why), the guard and the
-- generation as they were seen, their sealed word on both. Returns {'yes', ring...} or
-- {'no', reason}; rung is what waited for it.
local id, words, guard, generation, word = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local row = get(id, 'state', 'threat', 'held_by', 'generation')
if not row.state then return {'no', 'no such row'} end
if row.state ~= 'held' then return {'no', 'is ' .. row.state .. ': only held rows can be denied'} end
if not is_guard(row.held_by) then return {'no', 'is held by the kill switch (' .. row.held_by .. '), and by no guard'} end
if row.held_by ~= guard or (row.generation or '1') ~= generation then
  return {'no', 'is held by ' .. row.held_by .. ' since a moment: say it again'}
end
local rings = {'yes'}
keep_word(id, word)
redis.call('SREM', P .. 'held', id)
enter(id, row.threat, 'held', 'cancelled', words)
free_dependents(id, rings)
return rings
