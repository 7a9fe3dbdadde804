"""ar_workers: Active Remediation as a program. This docstring is the map.

An event comes in, an automation turns it into a plan, the ledger writes the plan down, Celery rings the
workers, a worker executes each action against the EDR and each delivery against its channel, and what
the EDR then shows is what the ledger settles.

    domain/       what is true: values, states, guards, policies; no I/O
    automations/  one pure function per automation: event and context -> plan
    ports         what the pipeline needs from the world
    pipeline/     the verbs, in order: ingest, respond, workflow, execute, deliver, sweep, recheck, poll, pauses, holds
    http          the one HTTP session: deadlines, no redirects, vendors' errors as ours
    connections   what it sends over: asked at the last moment whether the lease still holds
    feeds/        what polling of all sources shares, and Red Canary's portal
    edr/          one vendor per file
    channels/     one channel per file
    sources/      one input format per file
    ledger/       the record: Redis, and one Lua script per promise
    posture       what is unsafe, on which nobody starts
    seals/        the keys that seal the ledger's events, rows and decisions, and who the people are who decide
    disk          files that are put in place whole
    audit/        files outside Redis: what was done, chained, and what was accepted
    lists/        MISP's warning lists and the public suffixes: what is well known
    settings      environment and customers' files
    celery        the Celery app and the doorbell
    _celeryconfig the link to celeryconfig.py by which the wheel has it; examples/ has one, too
    tasks         every Celery task on one page
    bootstrap     wires it all; the only module that knows every part
    simulator/    pretend vendors and inboxes, over the real protocols
    cli/          arctl
"""

__version__ = "0.4.0"
