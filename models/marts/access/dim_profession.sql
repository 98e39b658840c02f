with

licences as (

    select * from {{ ref('licences') }}

),

professions as (

    select * from {{ ref('professions') }}

),

profession_groups as (

    select * from {{ ref('profession_groups') }}

),

codes as (

    select
        'licence' as code_kind,
        'Valvira2008' as classification,
        licence_code as code,
        licence_name_fi as code_name_fi,
        licence_name_sv as code_name_sv,
        licence_name_en as code_name_en,
        profession_group,
        is_licensed,
        evidence,
        valid_from,
        valid_to
    from licences

    union all

    select
        'profession' as code_kind,
        classification,
        profession_code as code,
        profession_name_fi as code_name_fi,
        profession_name_sv as code_name_sv,
        profession_name_en as code_name_en,
        profession_group,
        cast(null as boolean) as is_licensed,
        evidence,
        valid_from,
        valid_to
    from professions

),

final as (

    select
        codes.code_kind,
        codes.classification,
        codes.code,
        codes.code_name_fi,
        codes.code_name_sv,
        codes.code_name_en,
        codes.profession_group,
        profession_groups.profession_group_name_fi,
        profession_groups.profession_group_name_sv,
        profession_groups.profession_group_name_en,
        codes.is_licensed,
        codes.evidence,
        codes.valid_from,
        codes.valid_to,
        coalesce(codes.valid_from < {{ as_of_date() }}, true)
        and coalesce(codes.valid_to >= {{ as_of_date() }}, true) as is_valid
    from codes
    left join profession_groups
        on codes.profession_group = profession_groups.profession_group

)

select * from final
