-- A pause was made again: what it holds already says its new words. ARGV: what a row says that holds it, the words.
local held_by, words = ARGV[1], ARGV[2]
for _, id in ipairs(redis.call('SMEMBERS', P .. 'held')) do
  local row = get(id, 'state', 'held_by', 'threat')
  if row.state == 'held' and row.held_by == held_by then
    redis.call('HSET', row_key(id), 'reason', words)
    note(row.threat, id, 'still held: ' .. words)
  end
end
