{# What only one SQL dialect has: the default speaks DuckDB, `spark__` Apache Spark. #}

{# The ISO 8601 year of a date: the year that holds the Thursday of its week. #}
{% macro iso_year(date_expression) -%}
    {{ adapter.dispatch('iso_year', 'sotedw')(date_expression) }}
{%- endmacro %}

{% macro default__iso_year(date_expression) -%}
    cast(extract(isoyear from {{ date_expression }}) as integer)
{%- endmacro %}

{% macro spark__iso_year(date_expression) -%}
    cast(extract(yearofweek from {{ date_expression }}) as integer)
{%- endmacro %}

{# The ISO 8601 week of a date, 1 to 53. Both engines mean the ISO week by `week`. #}
{% macro iso_week(date_expression) -%}
    {{ adapter.dispatch('iso_week', 'sotedw')(date_expression) }}
{%- endmacro %}

{% macro default__iso_week(date_expression) -%}
    cast(extract(week from {{ date_expression }}) as integer)
{%- endmacro %}

{# The ISO 8601 day of the week, Monday 1 to Sunday 7. #}
{% macro iso_day_of_week(date_expression) -%}
    {{ adapter.dispatch('iso_day_of_week', 'sotedw')(date_expression) }}
{%- endmacro %}

{% macro default__iso_day_of_week(date_expression) -%}
    cast(extract(isodow from {{ date_expression }}) as integer)
{%- endmacro %}

{% macro spark__iso_day_of_week(date_expression) -%}
    cast(extract(dayofweek_iso from {{ date_expression }}) as integer)
{%- endmacro %}


{# A whole number as Finnish reports print it: thousands apart, `1 274 049`. #}
{% macro printed_number(number) %}
    {{ adapter.dispatch('printed_number', 'sotedw')(number) }}
{% endmacro %}

{% macro default__printed_number(number) %}
    replace(format('{:,}', {{ number }}), ',', ' ')
{% endmacro %}

{% macro spark__printed_number(number) %}
    replace(format_number({{ number }}, 0), ',', ' ')
{% endmacro %}


{#
    Precision of a rounded number: the unit of its last digit that is not a trailing zero, so that
    an `about 14 000` counts to the thousand. Never finer than the printed precision.
#}
{% macro precision_of_about(number, printed) %}
    greatest(
        {{ printed }},
        {{ printed }} * power(
            10,
            length(cast(cast(abs({{ number }}) / {{ printed }} as bigint) as {{ dbt.type_string() }}))
            - length(
                rtrim(
                    cast(
                        cast(abs({{ number }}) / {{ printed }} as bigint) as {{ dbt.type_string() }}
                    ),
                    '0'
                )
            )
        )
    )
{% endmacro %}


{# Median; of an even number the mean of the two in the middle. #}
{% macro median(expression) %}
    {{ adapter.dispatch('median', 'sotedw')(expression) }}
{% endmacro %}

{% macro default__median(expression) %}
    median({{ expression }})
{% endmacro %}

{% macro spark__median(expression) %}
    percentile({{ expression }}, 0.5)
{% endmacro %}


{# Euros as reports print them in millions: `2 452,4`; a zero is printed without decimals. #}
{% macro printed_millions(amount) %}
    case
        when {{ amount }} = 0 then '0'
        else {{ adapter.dispatch('printed_decimal', 'sotedw')(amount ~ ' / 1000000') }}
    end
{% endmacro %}

{% macro default__printed_decimal(number) %}
    replace(replace(format('{:,.1f}', cast({{ number }} as double)), ',', ' '), '.', ',')
{% endmacro %}

{% macro spark__printed_decimal(number) %}
    replace(replace(format_number({{ number }}, 1), ',', ' '), '.', ',')
{% endmacro %}
