{%- set month = "cast(" ~ dbt.date_trunc('month', 'visit_date') ~ " as date) as month_start_date" %}
{%- set attributes = [
    'service_form_code', 'contact_mode_code', 'channel', 'profession_group', 'producer_type',
    'specialty_code',
] %}

-- depends_on: {{ ref('int_access__changed_records') }}
-- depends_on: {{ ref('int_access__records_of_changed_needs') }}
with

changes as (
    {% if recomputes_all() %}
    select
        {{ month }},
        {{ attributes | join(',\n        ') }},
        1 as visit_count
    from {{ ref('fct_visits') }}
    {% else %}
    select
        {{ month }},
        {{ attributes | join(',\n        ') }},
        1 as visit_count
    from {{ ref('int_access__records_of_changed_needs') }}
    where
        is_realised
        and record_id in (
            select changed.record_id from {{ ref('int_access__changed_records') }} as changed
        )

    union all

    select
        {{ month }},
        {{ attributes | join(',\n        ') }},
        -1 as visit_count
    from {{ ref('int_access__changed_records') }}
    where is_realised

    union all

    select
        month_start_date,
        {{ attributes | join(',\n        ') }},
        visit_count
    from {{ built_before('int_access__monthly_visits', 'intermediate') }}
    {% endif %}
),

final as (

    select
        month_start_date,
        {{ attributes | join(',\n        ') }},
        cast(sum(visit_count) as bigint) as visit_count
    from changes
    group by month_start_date, {{ attributes | join(', ') }}
    having sum(visit_count) <> 0

)

select * from final
