"""Stand-in for dbt's adapter: a dispatched macro becomes a call of its name."""


def dispatch(name, _package):  # type: ignore[no-untyped-def]
    """The macro `name` as a function that writes a call."""
    return lambda *arguments: f"{name}({', '.join(str(item) for item in arguments)})"
