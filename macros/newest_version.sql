{#
    Rank of a row among the versions that deliveries gave of one key: 1 is the one in force.

    A later delivery restates an earlier value. What one document prints twice is decided by the
    place: a table before the text, since tables are compiled and text is written around them. The
    delivery's number decides the rest; a key stands once in a delivery (ingest sees to it), so no
    two rows tie. Both readings stay known: `mart_document_conflicts` shows where they differ.
#}
{% macro version_rank(key) %}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by
            delivery_date desc,
            case when source_document_id is not null and source_table is null then 1 else 0 end,
            delivery_number desc,
            delivery_id
    )
{% endmacro %}

{# The columns that say where a row of a staging model comes from. #}
{% macro provenance_columns(alias) %}
    {%- for name in [
        'delivery_id', 'source_document_id', 'source_table', 'source_section',
        'source_file', 'source_line',
    ] -%}
    {{ alias }}.{{ name }}{{ '' if loop.last else ', ' }}
    {%- endfor -%}
{% endmacro %}
