{#
    What a night recomputes. The tables of care events are kept from build to build, and a night
    writes anew only what new records, or the days since the last build, can have changed. Facts
    forget rows and append them as they are now; counts add them, and take off what they were.

    The command line tells the date of the build before by an environment variable, and only when
    the tables of that build are whole and still stand for everything loaded then. Without it
    everything is computed from the lake.
#}

{# Whether the tables are computed anew from the whole lake. #}
{% macro recomputes_all() %}
    {{ return(not (execute and env_var('SOTEDW_BUILD_PREVIOUS_AS_OF_DATE', ''))) }}
{% endmacro %}

{#
    Hook of an incremental model: removes the rows that the night writes anew, those whose `key` a
    model lists. When everything is computed, the table is emptied.
#}
{% macro forget(key, listed_by) %}
    {%- if not recomputes_all() -%}
    delete from {{ this }} where {{ key }} in (select {{ key }} from {{ ref(listed_by) }})
    {%- elif execute -%}
    {#- What older code left under the name may be a view. -#}
    {%- set old = load_relation(this) -%}
    {{ "delete from " ~ this if old is not none and old.is_table }}
    {%- endif -%}
{% endmacro %}

{#
    A table as the build before left it. No `ref`: what changes a table tonight is found in the
    table itself, before it is written, and dbt would call that a circle.
#}
{% macro built_before(model, schema=none) %}
    {{ return(api.Relation.create(
        database=target.database,
        schema=schema or target.schema,
        identifier=model
    )) }}
{% endmacro %}

{#
    Body of a CTE over the records of the needs that are computed: all of them, or tonight's, which
    stand together in a table of their own.
#}
{% macro records_to_judge() %}
    {%- set all_records = ref('fct_care_events') -%}
    {%- set records_of_the_night = ref('int_access__records_of_changed_needs') -%}
    select * from {{ all_records if recomputes_all() else records_of_the_night }}
{% endmacro %}

{# Columns of rows that are not there when everything is computed. #}
{% macro typed_nulls(texts, dates) %}
    {%- for column in texts -%}
    cast(null as {{ dbt.type_string() }}) as {{ column }},
    {% endfor -%}
    {%- for column in dates -%}
    cast(null as date) as {{ column }}{{ "" if loop.last else "," }}
    {% endfor -%}
{% endmacro %}
