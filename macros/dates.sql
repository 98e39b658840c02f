{#
    The date the build speaks as of. Nothing dated on or after it is known (KPI rule 3).

    A build tells it by an environment variable, read only when SQL is compiled: a var of the
    command line is part of what dbt parses, and another date would void the saved parse.
#}
{% macro as_of_date() -%}
    {%- set given = var("as_of_date", none) -%}
    {%- if execute and given is none -%}
        {%- set given = env_var("SOTEDW_BUILD_AS_OF_DATE", "") -%}
        {%- if not given -%}
            {{ exceptions.raise_compiler_error(
                "no as-of date: give --vars '{as_of_date: YYYY-MM-DD}', or set"
                ~ " SOTEDW_BUILD_AS_OF_DATE as `sotedw build` does"
            ) }}
        {%- endif -%}
    {%- endif -%}
    cast('{{ given }}' as date)
{%- endmacro %}

{#
    Ends of an open validity. Constants, and not the date that is compared: a join whose condition
    mixes both sides is a comparison of every row with every row.
#}
{% macro first_day_of_all() -%}
    cast('0001-01-01' as date)
{%- endmacro %}

{% macro last_day_of_all() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
