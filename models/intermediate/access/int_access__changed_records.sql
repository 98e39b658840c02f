{%- set before = 'changed' if recomputes_all() else built_before('fct_care_events') -%}

with

records as (

    select * from {{ ref('stg_care_events__records') }}

),

new_deliveries as (

    select delivery_id
    from {{ ref('stg_ledger__deliveries') }}
    where is_new

),

-- What arrived, and what was known to happen after the date of the build before.
changed as (

    select record_id
    from records
    where
        delivery_id in (select new_deliveries.delivery_id from new_deliveries)
        {%- if recomputes_all() %}
        and false
        {%- else %}

    union

    select record_id
    from {{ built_before('int_access__records_ahead', 'intermediate') }}
    where block_date < {{ as_of_date() }}
        {%- endif %}

),

final as (

    select
        changed.record_id,
        {{ column_before('care_need_id', dbt.type_string()) }},
        {{ column_before('client_pseudonym', dbt.type_string()) }},
        {{ column_before('event_date', 'date') }},
        {{ column_before('contact_date', 'date') }},
        {{ column_before('visit_date', 'date') }}
    from changed
    left join {{ before }} as before
        on changed.record_id = before.record_id

)

select * from final
