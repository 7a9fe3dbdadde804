"""Files that stand outside Redis: a chain per customer of all that was decided and moved, and the door's list of what was accepted.

`domain.audit` says what a link is, `chain` writes and reads the files of a folder, `door` those of who accepts events, `ocsf` says a
link in the words of OCSF.
"""
