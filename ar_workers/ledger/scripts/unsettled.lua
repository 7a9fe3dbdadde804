-- uses: rings
-- What of a threat may be rung, in plan order. ARGV: threat id. Returns {id, queue, label, lane, ...}.
return unsettled(ARGV[1])
