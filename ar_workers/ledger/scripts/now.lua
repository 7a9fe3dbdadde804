-- Returns what the clock shows.
return now
