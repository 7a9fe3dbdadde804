"""One module per contender: two worker processes that do nine empty tasks per threat. All but `ours` import nothing of ours.

Each has `WORKERS`, the command lines after `python`; `SETTINGS`, what was chosen and why; and `publish(numbers)`.
"""
