"""Stand-ins for dbt's cross-database macros, so that sqlfluff can parse models without dbt."""


def _call(name):  # type: ignore[no-untyped-def]
    return lambda *arguments, **named: (
        f"{name}({', '.join(str(item) for item in (*arguments, *named.values()))})"
    )


dateadd = _call("dbt_dateadd")
datediff = _call("dbt_datediff")
date_trunc = _call("dbt_date_trunc")
last_day = _call("dbt_last_day")
split_part = _call("dbt_split_part")


def date_spine(*_arguments):  # type: ignore[no-untyped-def]
    """A relation of dates."""
    return "select cast('2021-01-01' as date) as date_day"


def type_string():  # type: ignore[no-untyped-def]
    """A type's name."""
    return "varchar"


def type_bigint():  # type: ignore[no-untyped-def]
    """A type's name."""
    return "bigint"


def listagg(measure, *_arguments):  # type: ignore[no-untyped-def]
    """An aggregate of texts."""
    return f"string_agg({measure})"
