-- uses: guards
-- Takes the pauses of all customers off the list whose end has come. KEYS[1] is their key. Returns them in words.
return drop_ended(KEYS[1])
