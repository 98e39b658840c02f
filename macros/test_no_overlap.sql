{#
    Fails on two rows of one key that apply at the same time, so that a join by key and date would
    give two rows.

    `valid_from` and `valid_to` both belong to the period; an empty end is open. `ranges` is a
    mapping of further whole-number ranges, first -> last column, that must overlap as well for two
    rows to be a fault: limits of different ages may share a day. Shown: the key and both periods.
#}
{% test no_overlap(model, key, ranges={}) %}

with

numbered as (

    select
        {{ key | join(', ') }},
        {% for first, last in ranges.items() %}
        coalesce({{ first }}, -1) as first_{{ loop.index }},
        coalesce({{ last }}, 1000000000) as last_{{ loop.index }},
        {% endfor %}
        coalesce(valid_from, cast('0001-01-01' as date)) as first_date,
        coalesce(valid_to, cast('9999-12-31' as date)) as last_date,
        row_number() over (order by {{ key | join(', ') }}, valid_from, valid_to) as row_number
    from {{ model }}

)

select
    {% for column in key %}
    one.{{ column }},
    {% endfor %}
    one.first_date,
    one.last_date,
    other.first_date as other_first_date,
    other.last_date as other_last_date
from numbered as one
inner join numbered as other
    on one.row_number < other.row_number
    and one.first_date <= other.last_date
    and other.first_date <= one.last_date
    {% for column in key %}
    and one.{{ column }} is not distinct from other.{{ column }}
    {% endfor %}
    {% for _ in ranges %}
    and one.first_{{ loop.index }} <= other.last_{{ loop.index }}
    and other.first_{{ loop.index }} <= one.last_{{ loop.index }}
    {% endfor %}

{% endtest %}
