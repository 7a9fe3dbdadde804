-- The ledger's clock: this server's, in milliseconds. Nothing else tells a script the time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
