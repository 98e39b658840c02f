{#
    Fails on rows that share a grain; a null in a grain column is a value like any other.

    One scan a table, also for grains of several columns. Shown: the grain and how often it stands.
#}
{% test unique_grain(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
