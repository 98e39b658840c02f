with

records as (

    select * from {{ ref('fct_care_events') }}

),

needs as (

    select * from {{ ref('fct_waiting_times') }}

),

units as (

    select distinct unit_id
    from {{ ref('dim_unit') }}

),

names as (

    select * from {{ ref('care_event_figures') }}

),

counted_records as (

    select
        count(*) as record_count,
        coalesce(sum(case when records.has_care_need_id then 0 else 1 end), 0)
            as without_need_id_count,
        coalesce(sum(case when records.client_pseudonym is null then 1 else 0 end), 0)
            as without_client_count,
        coalesce(
            sum(
                case
                    when records.unit_id is not null and units.unit_id is null then 1 else 0
                end
            ), 0
        ) as unknown_unit_count
    from records
    left join units
        on records.unit_id = units.unit_id

),

counted_needs as (

    select
        count(*) as need_count,
        coalesce(sum(case when start_date is null then 1 else 0 end), 0)
            as without_assessment_count
    from needs

),

figures as (

    select
        'records_without_need_id' as figure_code,
        without_need_id_count as counted,
        record_count as total
    from counted_records

    union all

    select
        'records_without_client' as figure_code,
        without_client_count as counted,
        record_count as total
    from counted_records

    union all

    select
        'records_of_unknown_units' as figure_code,
        unknown_unit_count as counted,
        record_count as total
    from counted_records

    union all

    select
        'needs_without_assessment' as figure_code,
        without_assessment_count as counted,
        need_count as total
    from counted_needs

),

final as (

    select
        figures.figure_code,
        names.figure_name_fi,
        names.figure_name_sv,
        names.figure_name_en,
        cast(figures.counted as bigint) as counted,
        cast(figures.total as bigint) as total,
        {{ share_of('figures.counted', 'figures.total') }} as share,
        {{ as_of_date() }} as as_of_date
    from figures
    left join names
        on figures.figure_code = names.figure_code

)

select * from final
