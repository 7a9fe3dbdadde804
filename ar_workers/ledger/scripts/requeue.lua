-- uses: moves guards
-- A person brings a row back. ARGV: row id, words (by whom, and why), life in ms, the kill switches of all customers as JSON,
-- whether it must be held (1|0), the guard that it was seen to be held by or '', its generation as it was seen, a person's word on
-- both, which is kept, and their word on bringing back what no guard holds, likewise. Returns {'yes', ring...} or {'no', reason}.
-- A person's word opens the guard that held the row, and no other; of a row that has failed all are asked anew. What is older than its
-- undo never comes back.
local id, words, life, everyone, must_be_held = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5] == '1'
local guard, generation, word, word_on_row = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local row = get(id, 'state', 'threat', 'verb', 'lane', 'epoch', 'held_by', 'edr', 'approved', 'approvals', 'generation', 'watch')
if not row.state then return {'no', 'no such row'} end
local undone = row.epoch and undone_since(id, row)
if undone then
  if row.state == 'held' then
    redis.call('SREM', P .. 'held', id)
    enter(id, row.threat, row.state, 'cancelled', undone)
    free_dependents(id, {})
  end
  return {'no', URGENT[row.verb] and 'is older than the release: the endpoint was ' .. undone or 'is older than its undo: it was ' .. undone}
end
if must_be_held and row.state ~= 'held' then return {'no', 'is ' .. row.state .. ': only held rows can be approved'} end
if row.state ~= 'failed' and row.state ~= 'held' then
  return {'no', 'is ' .. row.state .. ': only failed or held rows can be requeued'}
end

if row.state == 'failed' then
  if (row.generation or '1') ~= generation then return {'no', 'has failed once more since a moment: say it again'} end
  redis.call('HINCRBY', row_key(id), 'generation', 1)
  count_open(row.threat, 1)
  redis.call('HDEL', row_key(id), 'settled_at', 'performed_at', 'begun_at', 'looked_at', 'cancel', 'approved', 'approvals')
else
  local held_by = row.held_by or ''
  if is_guard(held_by) then
    if held_by ~= guard or (row.generation or '1') ~= generation then return {'no', 'is held by ' .. held_by .. ' since a moment: say it again'} end
    redis.call('HSET', row_key(id), 'approved', (row.approved or '') .. held_by .. ',', 'approvals', (row.approvals or '') .. word .. '\n')
  else
    local _, scope = pause_of(row.edr or '', row.verb, everyone)
    if scope then return {'no', 'is held by the kill switch (' .. scope .. '): `arctl resume` brings it back'} end
  end
  redis.call('SREM', P .. 'held', id)
end
keep_word(id, word_on_row)
redis.call('HDEL', row_key(id), 'acknowledged_by', 'acknowledged_why', 'acknowledged_at', 'steps', 'blanks', 'hindered', 'hindered_at')
watch(id, tonumber(row.watch or '0'))
redis.call('HSET', row_key(id), 'attempts', 0, 'crashes', 0, 'looks', 0, 'begun', 0, 'receipt', '', 'deadline', now + life)
bring_back(id, row.threat, row.state, words)
local rings = {'yes'}
add_ring(rings, id)
return rings
