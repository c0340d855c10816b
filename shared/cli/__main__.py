"""`python -m shared.cli`: the same as `walkandtalk`."""

from shared.cli import main

main()
