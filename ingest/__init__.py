"""What happens between `landing/` and the lake: read, cast, check, quarantine, account.

One package, one job: nothing in here knows what a figure means. Which columns a source has, how
they are written and what may stand in them is declared in `specs/*.yml`, one file a source.
"""
