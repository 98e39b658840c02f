"""The warehouse's command line and what it strings together.

This package knows no business: what a figure means stands in specs, seeds, models and suites. It
knows settings, the lock, runs, releases and how they are written so that a crash never shows.
"""

__version__ = "0.1.0"
