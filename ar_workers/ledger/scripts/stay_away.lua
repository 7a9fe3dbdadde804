-- uses: remotes
-- The remote asked to be left alone. ARGV: remote, ms.
stay_away(ARGV[1], tonumber(ARGV[2]))
return 1
