"""The verbs, in order: ingest, respond, workflow, execute, deliver, sweep, recheck. I/O only through `ports`."""
