with

vacancies as (

    select * from {{ ref('fct_vacancies') }}

),

figures as (

    select * from {{ ref('int_workforce__figures') }}

),

-- Published posts are the whole division's. Those of a date may be delivered for its month, quarter
-- and year: the shortest period speaks.
published_posts as (

    select
        *,
        row_number() over (
            partition by period_end_date, service_entity_code, staff_group_code
            order by period_start_date desc
        ) as period_rank
    from figures
    where
        measure_code = 'posts'
        and service_entity_code = 'ALL'

),

vacancy_rates as (

    select * from {{ ref('int_workforce__vacancy_rates') }}

),

service_entities as (

    select * from {{ ref('dim_service_entity') }}

),

staff_groups as (

    select * from {{ ref('dim_staff_group') }}

),

-- Three sources speak of a group in an entity on a date, and none of them has all rows.
scopes as (

    select
        count_date,
        service_entity_code,
        staff_group_code
    from vacancies

    union

    select
        period_end_date as count_date,
        service_entity_code,
        staff_group_code
    from published_posts
    where period_rank = 1

    union

    select
        count_date,
        service_entity_code,
        staff_group_code
    from vacancy_rates

),

final as (

    select
        scopes.count_date,
        scopes.service_entity_code,
        service_entities.service_entity_name_fi,
        service_entities.service_entity_name_sv,
        service_entities.service_entity_name_en,
        scopes.staff_group_code,
        staff_groups.staff_group_name_fi,
        staff_groups.staff_group_name_sv,
        staff_groups.staff_group_name_en,
        vacancies.shortfall_share,
        cast(published_posts.value as bigint) as posts_count,
        -- A row speaks of the shortfall where the city gives one, else of the posts.
        coalesce(
            vacancies.value_status,
            published_posts.value_status,
            'not_available'
        ) as value_status,
        vacancy_rates.position_count,
        vacancy_rates.vacant_position_count,
        vacancy_rates.position_fte,
        vacancy_rates.vacant_fte,
        case
            when vacancy_rates.position_fte > 0
                then vacancy_rates.vacant_fte / vacancy_rates.position_fte
        end as vacancy_rate,
        coalesce(
            vacancies.delivery_id,
            published_posts.delivery_id,
            vacancy_rates.delivery_id
        ) as delivery_id,
        coalesce(vacancies.source_document_id, published_posts.source_document_id)
            as source_document_id,
        coalesce(vacancies.source_table, published_posts.source_table) as source_table,
        coalesce(vacancies.source_section, published_posts.source_section) as source_section,
        coalesce(vacancies.source_file, published_posts.source_file) as source_file,
        coalesce(vacancies.source_line, published_posts.source_line) as source_line,
        vacancies.source_column
    from scopes
    left join vacancies
        on scopes.count_date = vacancies.count_date
        and scopes.service_entity_code = vacancies.service_entity_code
        and scopes.staff_group_code = vacancies.staff_group_code
    left join published_posts
        on scopes.count_date = published_posts.period_end_date
        and scopes.service_entity_code = published_posts.service_entity_code
        and scopes.staff_group_code = published_posts.staff_group_code
        and published_posts.period_rank = 1
    left join vacancy_rates
        on scopes.count_date = vacancy_rates.count_date
        and scopes.service_entity_code = vacancy_rates.service_entity_code
        and scopes.staff_group_code = vacancy_rates.staff_group_code
    left join service_entities
        on scopes.service_entity_code = service_entities.service_entity_code
    left join staff_groups
        on scopes.staff_group_code = staff_groups.staff_group_code

)

select * from final
