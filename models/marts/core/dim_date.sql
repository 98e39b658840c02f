{%- set first_day = "cast('" ~ var('calendar_start') ~ "' as date)" -%}
{%- set last_day = "cast('" ~ var('calendar_end') ~ "' as date)" -%}

with

public_holidays as (

    select * from {{ ref('public_holidays') }}

),

-- The spine stops before its end, so the end is the day after the calendar's last one.
date_spine as (

    {{ dbt.date_spine('day', first_day, dbt.dateadd('day', 1, last_day)) }}

),

months as (

    select
        month,
        month_name_fi,
        month_name_sv,
        month_name_en
    from (
        values
        (1, 'tammikuu', 'januari', 'January'),
        (2, 'helmikuu', 'februari', 'February'),
        (3, 'maaliskuu', 'mars', 'March'),
        (4, 'huhtikuu', 'april', 'April'),
        (5, 'toukokuu', 'maj', 'May'),
        (6, 'kesäkuu', 'juni', 'June'),
        (7, 'heinäkuu', 'juli', 'July'),
        (8, 'elokuu', 'augusti', 'August'),
        (9, 'syyskuu', 'september', 'September'),
        (10, 'lokakuu', 'oktober', 'October'),
        (11, 'marraskuu', 'november', 'November'),
        (12, 'joulukuu', 'december', 'December')
    ) as month_names (month, month_name_fi, month_name_sv, month_name_en)

),

weekdays as (

    select
        iso_day_of_week,
        weekday_name_fi,
        weekday_name_sv,
        weekday_name_en
    from (
        values
        (1, 'maanantai', 'måndag', 'Monday'),
        (2, 'tiistai', 'tisdag', 'Tuesday'),
        (3, 'keskiviikko', 'onsdag', 'Wednesday'),
        (4, 'torstai', 'torsdag', 'Thursday'),
        (5, 'perjantai', 'fredag', 'Friday'),
        (6, 'lauantai', 'lördag', 'Saturday'),
        (7, 'sunnuntai', 'söndag', 'Sunday')
    ) as weekday_names (iso_day_of_week, weekday_name_fi, weekday_name_sv, weekday_name_en)

),

-- The spine's type differs by engine (timestamp in DuckDB).
days as (

    select cast(date_day as date) as date_day
    from date_spine

),

calendar as (

    select
        date_day,
        cast(extract(year from date_day) as integer) as year,
        cast(extract(quarter from date_day) as integer) as quarter,
        cast(extract(month from date_day) as integer) as month,
        {{ iso_year('date_day') }} as iso_year,
        {{ iso_week('date_day') }} as iso_week,
        {{ iso_day_of_week('date_day') }} as iso_day_of_week,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
        cast({{ dbt.last_day('date_day', 'month') }} as date) as month_end_date
    from days

),

final as (

    select
        calendar.date_day,
        calendar.year,
        calendar.quarter,
        calendar.month,
        calendar.iso_year,
        calendar.iso_week,
        calendar.iso_day_of_week,
        calendar.month_start_date,
        calendar.month_end_date,
        months.month_name_fi,
        months.month_name_sv,
        months.month_name_en,
        weekdays.weekday_name_fi,
        weekdays.weekday_name_sv,
        weekdays.weekday_name_en,
        calendar.iso_day_of_week >= 6 as is_weekend,
        coalesce(public_holidays.is_public_holiday, false) as is_public_holiday,
        public_holidays.holiday_name_fi,
        public_holidays.holiday_name_sv,
        public_holidays.holiday_name_en,
        -- The seed also holds the two eves that are no public holidays but no business days either.
        calendar.iso_day_of_week <= 5
        and public_holidays.holiday_date is null as is_business_day
    from calendar
    left join months
        on calendar.month = months.month
    left join weekdays
        on calendar.iso_day_of_week = weekdays.iso_day_of_week
    left join public_holidays
        on calendar.date_day = public_holidays.holiday_date

)

select * from final
