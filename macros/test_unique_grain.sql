{#
    Fails on rows that share a grain; a null in a grain column is a value like any other.

    One scan a table, also for grains of several columns. Shown: the grain and how often it stands.

    `changed_by` names the model that lists what a night writes anew, by the first column: rows that
    a night has not touched were looked at when they were written.
#}
{% test unique_grain(model, columns, changed_by=none) %}

{%- set changed = ref(changed_by) if changed_by %}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
{%- if changed and not recomputes_all() %}
where {{ columns[0] }} in (select {{ columns[0] }} from {{ changed }})
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
