-- An order and its undo: what they have in common, and which of them is the later one.

-- What a row of the tenant asks for or takes back, by the verb of the order and the checksum that both have; nothing for what has no undo.
local function pair_of(id, verb)
  local order = UNDOES[verb] or (HAS_UNDO[verb] and verb)
  return order and order .. string.match(id, '^[^:]*:[^:]*(:[^.]*)')
end

-- Where one visit at a time works: on the row's endpoint; or, of what concerns the whole tenant, on an order or on its undo.
local function lane_of(id, row)
  if (row.lane or '') ~= '' then return row.lane end
  local pair = pair_of(id, row.verb)
  return pair and 'tenant/' .. pair or ''
end

-- Where its epoch is kept: how often it was taken back. Of an isolation that is at the endpoint.
local function epoch_key(id, verb, lane)
  if URGENT[verb] then return P .. 'endpoint:' .. lane end
  local pair = pair_of(id, verb)
  return pair and P .. 'undone:' .. pair
end

-- By whom a row was taken back after it was asked for, in words; or nothing. It never comes true any more.
local function undone_since(id, row)
  if not HAS_UNDO[row.verb] then return end
  local kept = fields_of(epoch_key(id, row.verb, row.lane or ''), 'generation', 'released_by')
  if tonumber(row.epoch) >= tonumber(kept.generation or '0') then return end
  return (URGENT[row.verb] and 'released by ' or 'undone by ') .. (kept.released_by or 'a person')
end
