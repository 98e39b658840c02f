{%- set month = "cast(" ~ dbt.date_trunc('month', 'visit_date') ~ " as date)" %}

-- depends_on: {{ ref('int_access__visit_days_to_count') }}
with

visits as (

    select * from {{ ref('fct_visits') }}

),

final as (

    select
        {{ month }} as month_start_date,
        unit_id,
        service_form_code,
        contact_mode_code,
        profession_group,
        producer_type,
        count(*) as visit_count,
        count(distinct client_pseudonym) as client_count
    from visits
    {%- if not recomputes_all() %}
    where
        visit_date in (
            select days.visit_date from {{ ref('int_access__visit_days_to_count') }} as days
        )
    {%- endif %}
    group by 1, 2, 3, 4, 5, 6

)

select * from final
