with

units as (

    select * from {{ ref('units') }}

),

areas as (

    select * from {{ ref('care_areas') }}

),

-- Periods of a unit never overlap, so no two begin together. One that has not begun by the as-of
-- date is the newest only of a unit that has no other.
periods as (

    select
        *,
        row_number() over (
            partition by unit_id
            order by
                case
                    when valid_from >= {{ as_of_date() }} then 1
                    else 0
                end,
                coalesce(valid_from, cast('0001-01-01' as date)) desc
        ) = 1 as is_newest
    from units

),

final as (

    select
        periods.unit_id,
        periods.unit_name_fi,
        periods.unit_name_sv,
        periods.unit_name_en,
        periods.unit_kind,
        periods.area_code,
        areas.area_name_fi,
        areas.area_name_sv,
        areas.area_name_en,
        periods.producer_type,
        periods.provider_name,
        periods.opened_date,
        periods.closed_date,
        periods.successor_unit_id,
        periods.valid_from,
        periods.valid_to,
        coalesce(periods.valid_from < {{ as_of_date() }}, true)
        and coalesce(periods.valid_to >= {{ as_of_date() }}, true) as is_valid,
        periods.is_newest,
        periods.evidence,
        periods.source_document_id,
        periods.source_section
    from periods
    left join areas
        on periods.area_code = areas.area_code

)

select * from final
