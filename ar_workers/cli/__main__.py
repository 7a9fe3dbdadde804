"""`python -m ar_workers.cli` is `arctl`."""

from . import main

main()
