{#- Column -> code set and the date that its codes are judged on. -#}
{%- set coded_columns = {
    'contact_service_form_code': ('service_form', 'contact_date'),
    'booked_service_form_code': ('service_form', 'booked_for_date'),
    'service_form_code': ('service_form', 'visit_date'),
    'assessed_urgency_code': ('urgency', 'assessed_date'),
    'urgency_code': ('urgency', 'visit_date'),
    'contact_mode_code': ('contact_mode', 'visit_date'),
} -%}
{#- All records are no CTE: an import that blocks share would be written out whole. -#}
{%- set events = ref('fct_care_events') if recomputes_all() else 'changed_events' -%}

-- depends_on: {{ ref('int_access__changed_records') }}
-- depends_on: {{ ref('int_access__records_of_changed_needs') }}
with
{% if not recomputes_all() %}
changed_events as (  -- noqa: ST03

    select records.*
    from {{ ref('int_access__records_of_changed_needs') }} as records
    where
        records.record_id in (
            select changed_records.record_id
            from {{ ref('int_access__changed_records') }} as changed_records
        )

),
{% endif %}
-- Codes and days are few and are looked up first: events are read for their keys only where one of
-- them is wrong.
used as (
    {% for column, (code_set, date_column) in coded_columns.items() %}
    select
        '{{ column }}' as column_name,
        '{{ code_set }}' as code_set,
        {{ column }} as code,
        {{ date_column }} as code_date
    from {{ events }}
    where {{ column }} is not null and {{ date_column }} is not null
    group by {{ column }}, {{ date_column }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

codes as (

    select * from {{ ref('dim_care_code') }}

),

wrong as (

    select
        used.column_name,
        used.code,
        used.code_date
    from used
    left join codes
        on
        used.code_set = codes.code_set
        and used.code = codes.code
        and used.code_date >= coalesce(codes.valid_from, {{ first_day_of_all() }})
        and used.code_date <= coalesce(codes.valid_to, {{ last_day_of_all() }})
    where codes.code is null

),

final as (
    {% for column, (_, date_column) in coded_columns.items() %}
    select
        events.record_id,
        events.delivery_id,
        wrong.column_name,
        wrong.code,
        wrong.code_date
    from {{ events }} as events
    inner join wrong
        on
        events.{{ column }} = wrong.code
        and events.{{ date_column }} = wrong.code_date
    where wrong.column_name = '{{ column }}'
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final
