{# The date the build speaks as of. Nothing dated on or after it is known (KPI rule 3). #}
{% macro as_of_date() -%}
    cast('{{ var("as_of_date") }}' as date)
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
