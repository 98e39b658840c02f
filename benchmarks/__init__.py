"""The engine's floor, and the project measured beside it (`docs/benchmarks.md`)."""
