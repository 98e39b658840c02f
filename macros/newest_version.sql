{#
    Rank of a row among the versions that deliveries gave of one key: 1 is the one in force.

    1. The newest document wins, and a delivery without a document is one of its own. A document is
       as old as its first delivery to the source (`first_delivery_date`): a part of it that is
       typed in later, or typed in again, makes it no newer.
    2. Of one document, or of documents of one date, a table goes before the text, since tables are
       compiled and text is written around them; no matter which of the two was delivered later.
    3. The later delivery restates the earlier one, by its date and then by its number.

    A key stands once in a delivery (ingest sees to it), so no two rows tie. The readings of
    documents stay known: `mart_document_conflicts` shows where they differ.
#}
{% macro version_rank(key) %}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by
            first_delivery_date desc,
            case when source_document_id is not null and source_table is null then 1 else 0 end,
            delivery_date desc,
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
