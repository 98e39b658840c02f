{#
    Fails on values that the table they point to does not hold; a null points nowhere.

    All references of a table in one query, in place of one test a column. `columns` is a mapping
    of column -> {to: model, field: its key}. Shown: column, value and how many rows have it. What
    counts as failures are these values, not the rows.
#}
{% test references(model, columns) %}

{% for column, target in columns.items() %}
select
    '{{ column }}' as column_name,
    cast(pointing.{{ column }} as {{ dbt.type_string() }}) as value,
    count(*) as row_count
from {{ model }} as pointing
left join {{ ref(target.to) }} as pointed_to
    on pointing.{{ column }} = pointed_to.{{ target.field }}
where
    pointing.{{ column }} is not null
    and pointed_to.{{ target.field }} is null
group by pointing.{{ column }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}

{% endtest %}
