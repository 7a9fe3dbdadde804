"""What an attacker, a careless customer or a hostile vendor may try, tried by chance and in numbers: one module per goal.

`listed.TRIALS` names them. Each is a function of a folder, a seed and how many, and returns an `Outcome`.
"""
