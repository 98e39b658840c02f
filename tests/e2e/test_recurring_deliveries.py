"""A month's delivery of each recurring source moves exactly the cells it should, and no other.

Every published table is compared in full, before and after; what is expected is worked out by hand
from the delivered rows. Then a later delivery restates one value of each source.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from openpyxl import Workbook

if TYPE_CHECKING:
    from tests.e2e.conftest import Sotedw

    Deliver = Callable[[Path, str, Mapping[str, str | bytes]], None]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_recurring")]

LANDING = Path(__file__).resolve().parents[2] / "landing"

#: Where a row comes from, and how often its key was delivered: asserted apart.
PROVENANCE = frozenset(
    {
        "delivery_id",
        "source_document_id",
        "source_table",
        "source_section",
        "source_file",
        "source_line",
        "source_column",
        "version_count",
    }
)
#: Tables about the run itself.
QUALITY = frozenset({"fct_quality_results", "mart_quality"})
#: Names and explanations in three languages follow from codes; in a new row they are not repeated.
LABELS = ("_fi", "_sv", "_en", "break_reason")

#: The newest delivery of the repository's landing folder, so the as-of date of every build here.
AS_OF = date(2022, 10, 31)
MONTH = "2022-04-15"
RESTATEMENT = "2022-05-15"

# --- the deliveries -------------------------------------------------------------------------------


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


OUTPUTS = """\
SUORITE;TUOTTAMISTAPA;YKSIKKO;JAKSO;ARVO;TILA;HUOMAUTUS
Käynnit lääkärin vastaanotolla;;;2022-01;21 000;lopullinen;
Käynnit lääkärin vastaanotolla;;;2022-02;20 500;;
Käynnit lääkärin vastaanotolla;;;2022-03;22 000;arvio;Puuttuvat kirjaukset arvioitu.
Käynnit lääkärin vastaanotolla;;Kalasatama;2022-01;3 100;;
Käynnit lääkärin vastaanotolla;osto;;2022-01;900;;
child_welfare_clients;;;2022-01;4 000;;
child_welfare_clients;;;2022-02;4 100;;
child_welfare_clients;;;2022-03;4 200;;
Käynnit lääkärin vastaanotolla;;;2022-11;19 000;arvio;Alkaa vasta käsillä olevan päivän jälkeen.
"""

BUDGET_HEADER = (
    "TALOUSARVIOKOHTA;TILIRYHMA;YKSIKKO;JAKSO;LAJI;VAIHE;SUMMA;YKSIKKOKERROIN;SISAINEN\n"
)

BUDGET = (
    BUDGET_HEADER
    + """\
Sosiaali- ja terveyspalvelut;;;2022-01;menot;toteuma;130 000;1000 EUR;E
Toimeentulotuki;;;2022-01;menot;toteuma;1 100;1000 EUR;E
Valtion korvaamat maahanmuuttopalvelut;;;2022-01;menot;toteuma;400;1000 EUR;E
Apotti;;;2022-01;menot;toteuma;4 000;1000 EUR;E
HUS-kuntayhtymä;;;2022-01;menot;toteuma;61 000;1000 EUR;E
Sosiaali- ja terveyspalvelut;;;2022-02;menot;toteuma;262 500;1000 EUR;E
Toimeentulotuki;;;2022-02;menot;toteuma;2 150;1000 EUR;E
Valtion korvaamat maahanmuuttopalvelut;;;2022-02;menot;toteuma;810;1000 EUR;E
Apotti;;;2022-02;menot;toteuma;9 300;1000 EUR;E
HUS-kuntayhtymä;;;2022-02;menot;toteuma;122,0;MEUR;E
Sosiaali- ja terveyspalvelut;;;2022-02;tulot;toteuma;25 100 000;EUR;E
Toimeentulotuki;;;2022-02;tulot;toteuma;410 000;EUR;E
Valtion korvaamat maahanmuuttopalvelut;;;2022-02;tulot;toteuma;900 000;EUR;E
Apotti;;;2022-02;tulot;toteuma;50 000;EUR;E
HUS-kuntayhtymä;;;2022-02;tulot;toteuma;0;EUR;E
Sosiaali- ja terveyspalvelut;;Töölö;2022-02;menot;toteuma;7 000;1000 EUR;E
Sosiaali- ja terveyspalvelut;Sisäiset vuokrat;;2022-02;menot;toteuma;800;1000 EUR;K
Sosiaali- ja terveyspalvelut;;;2022-02;menot;muutos;12,5;MEUR;E
Sosiaali- ja terveyspalvelut;;;2022-03;menot;muutos;1,5;MEUR;E
Apotti;;;2022-11;menot;toteuma;50 000;1000 EUR;E
"""
)

POSITIONS_HEADER = (
    "VAKANSSI_TUNNUS", "LASKENTA_PVM", "HENKILOSTORYHMA", "PALVELUKOKONAISUUS", "YKSIKKO",
    "OSUUS", "HALTIJA", "SIJAINEN", "POISSA_ALKAEN", "TILA",
)  # fmt: skip
COUNTED = date(2022, 3, 31)
NURSING = "Hoitoalan ammattitehtävät"
CARE = "Sairaala-, kuntoutus- ja hoivapalvelut"
FAMILY = "Perhe- ja sosiaalipalvelut"

POSITIONS = [
    ("V1", COUNTED, NURSING, CARE, "S1", 1, "K", "E", None, "voimassa"),
    ("V2", COUNTED, NURSING, CARE, "S1", 1, "E", "K", None, "voimassa"),
    ("V3", COUNTED, NURSING, CARE, "S1", 0.5, "E", "E", None, "voimassa"),
    ("V4", COUNTED, NURSING, CARE, "S1", 1, "E", "E", None, "täyttökielto"),
    ("V5", COUNTED, NURSING, CARE, "S1", 1, "E", "E", None, "lakkautettu"),
    ("V6", COUNTED, NURSING, CARE, "S2", 0.8, "K", "E", date(2022, 1, 15), "voimassa"),
    ("V7", COUNTED, "Sosiaalityöntekijät", FAMILY, "P1", 1, "K", "E", None, "voimassa"),
    ("V8", COUNTED, "Sosiaalityöntekijät", FAMILY, "P1", 0.6, "E", "E", None, "voimassa"),
    ("V9", COUNTED, NURSING, FAMILY, "P1", 0.5, "K", "K", None, "voimassa"),
    ("V1", AS_OF, NURSING, CARE, "S1", 1, "E", "E", None, "voimassa"),
]

PERSONNEL = """\
MITTARI,HENKILOSTORYHMA,PALVELUKOKONAISUUS,JAKSO,ARVO
vakinaiset,,Hallinto,2022-03,660
maaraaikaiset,,,2022-03,"4 310"
vakanssit,Hoitoalan ammattitehtävät,,2022-03,"3 990"
koulutuskerrat,Hoitoalan ammattitehtävät,,2022-Q1,720
sairauspoissaolo,,,2022-03,"5,1 %"
irtisanoutuneet,,,2022-10,70
irtisanoutuneet,,,2022-11,80
vakinaiset,,Hallinto,2022-10,670
"""

SHORTFALL = """\
HENKILOSTORYHMA;PALVELUKOKONAISUUS;LASKENTA_PVM;VAJE
Lääkärit;Sairaala-, kuntoutus- ja hoivapalvelut;31.3.2022;25,5
Hoitoalan ammattitehtävät;Sairaala-, kuntoutus- ja hoivapalvelut;maaliskuu 2022;14 %
Lääkärit;Terveys- ja päihdepalvelut;31.3.2022;-
Lääkärit;Sairaala-, kuntoutus- ja hoivapalvelut;31.10.2022;30
"""

REPORTED = """\
TAVOITE_TUNNUS;YKSIKKO;JAKSO;OSOITTAJA;NIMITTAJA;ARVO;NAYTTO
T-14;;2022-Q1;34;50;68 %;Liikkumissopimukset 31.3.2022
T-21;S1;2022-Q1;;;kyllä;Koulu PT toteutunut
T-21;S2;2022-Q1;;;Ei;
T-30;;2022-03;;;1 274,5;Toimitilojen neliöt
T-30;;2022-11;;;1 300;
"""

DELIVERIES: dict[str, dict[str, str | bytes]] = {
    "output_statistics": {"suoritteet.csv": OUTPUTS},
    "budget": {"toteuma.csv": BUDGET},
    "positions": {"vakanssit.xlsx": workbook(POSITIONS_HEADER, *POSITIONS)},
    "personnel": {"henkilosto.csv": PERSONNEL.encode("utf-8-sig")},
    "shortfall": {"vaje.csv": SHORTFALL.encode("latin-1")},
    "reported_values": {"raportoidut.csv": REPORTED},
}
ROWS = {
    "output_statistics": 9,
    "budget": 20,
    "positions": 10,
    "personnel": 8,
    "shortfall": 4,
    "reported_values": 5,
}

#: One value of each source, restated a month later.
RESTATED_DELIVERIES: dict[str, dict[str, str | bytes]] = {
    "output_statistics": {
        "a.csv": "SUORITE;JAKSO;ARVO\nKäynnit lääkärin vastaanotolla;2022-01;21 400\n"
    },
    "budget": {"a.csv": BUDGET_HEADER + "Apotti;;;2022-02;menot;toteuma;9 450;1000 EUR;E\n"},
    "positions": {
        "a.xlsx": workbook(
            POSITIONS_HEADER,
            ("V3", COUNTED, NURSING, CARE, "S1", 0.5, "K", "E", None, "voimassa"),
        )
    },
    "personnel": {
        "a.csv": "MITTARI;HENKILOSTORYHMA;PALVELUKOKONAISUUS;JAKSO;ARVO\n"
        "vakinaiset;;Hallinto;2022-03;662\n"
    },
    "shortfall": {
        "a.csv": "HENKILOSTORYHMA;PALVELUKOKONAISUUS;LASKENTA_PVM;VAJE\n"
        f"Lääkärit;{CARE};31.3.2022;26\n"
    },
    "reported_values": {
        "a.csv": "TAVOITE_TUNNUS;YKSIKKO;JAKSO;ARVO\nT-21;S1;2022-Q1;ei\n",
    },
}

# --- what they do ---------------------------------------------------------------------------------

Key = tuple[Any, ...]
Cells = dict[str, Any]
Changes = dict[str, dict[Key, Cells]]

MARCH = {"period_start_date": date(2022, 3, 1), "period_end_date": COUNTED}
FEBRUARY = {"period_start_date": date(2022, 2, 1), "period_end_date": date(2022, 2, 28)}
JANUARY = {"period_start_date": date(2022, 1, 1), "period_end_date": date(2022, 1, 31)}
QUARTER = {"period_start_date": date(2022, 1, 1), "period_end_date": COUNTED}
DATES = {"2022-01": JANUARY, "2022-02": FEBRUARY, "2022-03": MARCH, "2022-Q1": QUARTER}


def euros(millions: str) -> Decimal:
    return Decimal(millions) * 1_000_000


def output(
    measure: str,
    period: str,
    value: int,
    *,
    unit: str | None = None,
    producer: str = "all",
    status: str = "final",
    note: str | None = None,
) -> dict[Key, Cells]:
    cells = {"value": value, "value_status": status, "value_reference": None, "value_note": note}
    grain = {"period_grain": "month", **DATES[period]}
    return {(measure, producer, unit, period): cells | grain}


def amount(
    item: str,
    period: str,
    millions: str,
    precision: str,
    *,
    flow: str = "expenditure",
    stage: str = "outturn",
    unit: str | None = None,
    group: str | None = None,
    internal: bool = False,
) -> dict[Key, Cells]:
    return {
        (item, group, unit, internal, period, flow, stage): {
            "fiscal_year": 2022,
            "period_grain": "month",
            **DATES[period],
            "amount": euros(millions),
            "amount_precision": Decimal(precision),
            "amount_status": "final",
            "value_note": None,
        }
    }


def budgeted(
    item: str,
    expenditure: Mapping[str, str],
    income: Mapping[str, str],
    available: tuple[str, str],
) -> dict[Key, Cells]:
    """What changes in the three rows of an item of 2022, in millions.

    Args:
        item: The budget item.
        expenditure: New outturn, and where it moves, amendment and available.
        income: New outturn.
        available: Available expenditure and income after the delivery.
    """
    spent, received = Decimal(expenditure["outturn"]), Decimal(income["outturn"])
    limit, expected = map(Decimal, available)
    until = {"outturn_until_date": date(2022, 2, 28)}
    basis = {"outturn_basis": "sum_of_items" if item == "division_total" else "delivered"}
    rows: dict[Key, Cells] = {}
    for flow, outturn, room in (
        ("expenditure", spent, limit),
        ("income", received, expected),
        ("margin", received - spent, expected - limit),
    ):
        cells: Cells = {
            "outturn_amount": outturn * 1_000_000,
            "deviation_amount": (outturn - room) * 1_000_000,
            **until,
            **basis,
        }
        if room:
            cells["deviation_share"] = pytest.approx(float((outturn - room) / abs(room)))
        if flow == "expenditure":
            cells["is_exceeded"] = outturn > room
        elif flow == "margin":
            cells["is_exceeded"] = outturn < room
        sign = {"expenditure": 1, "margin": -1}.get(flow)
        if "amendment" in expenditure and sign:
            cells["amendment_amount"] = sign * euros(expenditure["amendment"])
            cells["available_amount"] = room * 1_000_000
        rows[2022, item, flow] = cells
    return rows


def post(
    name: str,
    entity: str,
    group: str,
    unit: str,
    share: str,
    *,
    holder: bool,
    substitute: bool,
    status: str = "active",
    absent: date | None = None,
) -> dict[Key, Cells]:
    return {
        (COUNTED, name): {
            "service_entity_code": entity,
            "staff_group_code": group,
            "unit_id": unit,
            "fte_share": Decimal(share),
            "has_holder": holder,
            "has_substitute": substitute,
            "absent_since_date": absent,
            "post_status": status,
            "is_counted": status != "abolished",
            "is_vacant": status != "abolished" and not holder and not substitute,
        }
    }


def vacancy(
    entity: str,
    group: str,
    *,
    posts: tuple[int, int, float, float] | None = None,
    shortfall: float | None = None,
    published: int | None = None,
    status: str = "final",
) -> dict[Key, Cells]:
    """A row of the vacancy mart: posts, vacant posts, their FTE, the vacant FTE."""
    count, vacant, fte, vacant_fte = posts or (None, None, None, None)
    rate = None
    if fte is not None and vacant_fte is not None:
        rate = pytest.approx(vacant_fte / fte)
    return {
        (COUNTED, entity, group): {
            "shortfall_share": shortfall,
            "posts_count": published,
            "value_status": status,
            "position_count": count,
            "vacant_position_count": vacant,
            "position_fte": fte if fte is None else pytest.approx(fte),
            "vacant_fte": vacant_fte if vacant_fte is None else pytest.approx(vacant_fte),
            "vacancy_rate": rate,
        }
    }


def workforce(
    measure: str,
    period: str,
    value: float,
    *,
    entity: str = "ALL",
    group: str = "ALL",
    precision: float = 1,
    kind: str = "stock",
    unit: str = "persons",
    end: date = COUNTED,
) -> dict[Key, Cells]:
    return {
        (period, entity, group, measure): {
            "count_date": end,
            "period_grain": "quarter" if "Q" in period else "month",
            "unit_of_measure": unit,
            "kind": kind,
            "value": value,
            "value_precision": precision,
            "value_status": "final",
            "value_note": None,
        }
    }


def reported(
    target: str,
    unit: str | None,
    period: str,
    value: float,
    kind: str,
    *,
    numerator: float | None = None,
    denominator: float | None = None,
    evidence: str | None = None,
) -> dict[Key, Cells]:
    return {
        (target, unit, period): {
            "period_grain": "quarter" if "Q" in period else "month",
            **DATES[period],
            "numerator": numerator,
            "denominator": denominator,
            "value": value,
            "value_kind": kind,
            "value_status": "final",
            "evidence": evidence,
        }
    }


PHYSICIANS = "physician_reception_visits"
SERVICES = "social_and_health_services"
CARE_CODE = "hospital_rehabilitation_care"
#: A row speaks of the city's own shortfall: where none is given, it is not known.
UNKNOWN = "not_available"

MONTHS_CHANGES: Changes = {
    "fct_output_statistics": {
        **output(PHYSICIANS, "2022-01", 21_000),
        **output(PHYSICIANS, "2022-02", 20_500),
        **output(
            PHYSICIANS, "2022-03", 22_000, status="estimated", note="Puuttuvat kirjaukset arvioitu."
        ),
        **output(PHYSICIANS, "2022-01", 3_100, unit="Kalasatama"),
        **output(PHYSICIANS, "2022-01", 900, producer="purchased"),
        **output("child_welfare_clients", "2022-01", 4_000),
        **output("child_welfare_clients", "2022-02", 4_100),
        **output("child_welfare_clients", "2022-03", 4_200),
    },
    # Visits add up, 21 000 + 20 500 + 22 000, without the unit's and the purchased ones, which are
    # other cuts; clients of three months are no clients of a year.
    "mart_output_statistics": {
        (PHYSICIANS, 2022): {
            "measure_sort_order": 53,
            "section_code": "primary_care",
            "producer_type": "all",
            "unit_of_measure": "visits",
            "value": 63_500,
            "value_status": "partial",
            "value_reference": None,
            "value_note": None,
            "value_basis": "summed_months",
            "change_count": None,
            "change_share": None,
            "is_comparable": False,
            "comparability": "partial_value",
            "break_kind": None,
            "has_suspected_break": False,
        }
    },
    "fct_budget_outturn": {
        **amount(SERVICES, "2022-01", "130", "1000"),
        **amount("social_assistance", "2022-01", "1.1", "1000"),
        **amount("immigration_services", "2022-01", "0.4", "1000"),
        **amount("apotti", "2022-01", "4", "1000"),
        **amount("hus", "2022-01", "61", "1000"),
        **amount(SERVICES, "2022-02", "262.5", "1000"),
        **amount("social_assistance", "2022-02", "2.15", "1000"),
        **amount("immigration_services", "2022-02", "0.81", "1000"),
        **amount("apotti", "2022-02", "9.3", "1000"),
        **amount("hus", "2022-02", "122", "100000"),
        **amount(SERVICES, "2022-02", "25.1", "1", flow="income"),
        **amount("social_assistance", "2022-02", "0.41", "1", flow="income"),
        **amount("immigration_services", "2022-02", "0.9", "1", flow="income"),
        **amount("apotti", "2022-02", "0.05", "1", flow="income"),
        **amount("hus", "2022-02", "0", "1", flow="income"),
        **amount(SERVICES, "2022-02", "7", "1000", unit="Töölö"),
        **amount(SERVICES, "2022-02", "0.8", "1000", group="Sisäiset vuokrat", internal=True),
        **amount(SERVICES, "2022-02", "12.5", "100000", stage="amendment"),
        **amount(SERVICES, "2022-03", "1.5", "100000", stage="amendment"),
    },
    # The outturn is February's, not January's and February's sum, and without the unit's part of it
    # and the city's internal item. Amendments of two months add up: 12.5 + 1.5 on 1 597.9.
    "mart_budget_outturn": {
        **budgeted(
            SERVICES,
            {"outturn": "262.5", "amendment": "14.0"},
            {"outturn": "25.1"},
            ("1611.9", "158.8"),
        ),
        **budgeted("social_assistance", {"outturn": "2.15"}, {"outturn": "0.41"}, ("14.0", "2.6")),
        **budgeted("immigration_services", {"outturn": "0.81"}, {"outturn": "0.9"}, ("5.0", "5.0")),
        **budgeted("apotti", {"outturn": "9.3"}, {"outturn": "0.05"}, ("59.6", "0.4")),
        **budgeted("hus", {"outturn": "122"}, {"outturn": "0"}, ("731.8", "0")),
        # 262.5 + 2.15 + 0.81 + 9.3 + 122 and 25.1 + 0.41 + 0.9 + 0.05 + 0.
        **budgeted(
            "division_total",
            {"outturn": "396.76", "amendment": "14.0"},
            {"outturn": "26.46"},
            ("2422.3", "166.8"),
        ),
    },
    "fct_positions": {
        **post("V1", CARE_CODE, "nursing", "S1", "1", holder=True, substitute=False),
        **post("V2", CARE_CODE, "nursing", "S1", "1", holder=False, substitute=True),
        **post("V3", CARE_CODE, "nursing", "S1", "0.5", holder=False, substitute=False),
        **post(
            "V4",
            CARE_CODE,
            "nursing",
            "S1",
            "1",
            holder=False,
            substitute=False,
            status="frozen",
        ),
        **post(
            "V5",
            CARE_CODE,
            "nursing",
            "S1",
            "1",
            holder=False,
            substitute=False,
            status="abolished",
        ),
        **post(
            "V6",
            CARE_CODE,
            "nursing",
            "S2",
            "0.8",
            holder=True,
            substitute=False,
            absent=date(2022, 1, 15),
        ),
        **post(
            "V7", "family_and_social", "social_workers", "P1", "1", holder=True, substitute=False
        ),
        **post(
            "V8",
            "family_and_social",
            "social_workers",
            "P1",
            "0.6",
            holder=False,
            substitute=False,
        ),
        **post("V9", "family_and_social", "nursing", "P1", "0.5", holder=True, substitute=True),
    },
    # Nursing in care: V1, V2, V3, V4 and V6 make 4.3 FTE, V3 and V4 (frozen) are vacant, V5 is
    # abolished. The city's own shortfall and number of posts stand beside the rate, never in it.
    "mart_vacancies": {
        **vacancy(CARE_CODE, "nursing", posts=(5, 2, 4.3, 1.5), shortfall=0.14),
        **vacancy(CARE_CODE, "ALL", posts=(5, 2, 4.3, 1.5), status=UNKNOWN),
        **vacancy("family_and_social", "social_workers", posts=(2, 1, 1.6, 0.6), status=UNKNOWN),
        **vacancy("family_and_social", "nursing", posts=(1, 0, 0.5, 0), status=UNKNOWN),
        **vacancy("family_and_social", "ALL", posts=(3, 1, 2.1, 0.6), status=UNKNOWN),
        **vacancy("ALL", "nursing", posts=(6, 2, 4.8, 1.5), published=3_990),
        **vacancy("ALL", "social_workers", posts=(2, 1, 1.6, 0.6), status=UNKNOWN),
        **vacancy("ALL", "ALL", posts=(8, 3, 6.4, 2.1), status=UNKNOWN),
        **vacancy(CARE_CODE, "physicians", shortfall=0.255),
        **vacancy("health_and_substance_abuse", "physicians", status=UNKNOWN),
    },
    "fct_vacancies": {
        (COUNTED, CARE_CODE, "physicians"): {"shortfall_share": 0.255, "value_status": "final"},
        (COUNTED, CARE_CODE, "nursing"): {"shortfall_share": 0.14, "value_status": "final"},
        (COUNTED, "health_and_substance_abuse", "physicians"): {
            "shortfall_share": None,
            "value_status": "not_available",
        },
    },
    "fct_headcount": {
        ("2022-03", "administration", "ALL", "permanent_headcount"): {
            "count_date": COUNTED,
            "value": 660.0,
            "value_status": "final",
            "value_note": None,
        },
        ("2022-03", "ALL", "ALL", "fixed_term_headcount"): {
            "count_date": COUNTED,
            "value": 4_310.0,
            "value_status": "final",
            "value_note": None,
        },
    },
    "fct_training": {
        ("2022-Q1", "ALL", "nursing", "training_occasions"): {
            "year": 2022,
            "value": 720.0,
            "value_status": "final",
            "value_note": None,
        }
    },
    "mart_workforce": {
        **workforce("permanent_headcount", "2022-03", 660, entity="administration"),
        **workforce("fixed_term_headcount", "2022-03", 4_310),
        **workforce("posts", "2022-03", 3_990, group="nursing", unit="posts"),
        **workforce(
            "training_occasions", "2022-Q1", 720, group="nursing", kind="flow", unit="occasions"
        ),
        **workforce(
            "sickness_absence_rate",
            "2022-03",
            0.051,
            precision=0.001,
            kind="flow",
            unit="share",
        ),
        **workforce("resigned_count", "2022-10", 70, kind="flow", end=AS_OF),
    },
    "fct_reported_values": {
        **reported(
            "T-14",
            None,
            "2022-Q1",
            0.68,
            "number",
            numerator=34,
            denominator=50,
            evidence="Liikkumissopimukset 31.3.2022",
        ),
        **reported("T-21", "S1", "2022-Q1", 1, "yes_no", evidence="Koulu PT toteutunut"),
        **reported("T-21", "S2", "2022-Q1", 0, "yes_no"),
        **reported("T-30", None, "2022-03", 1_274.5, "number", evidence="Toimitilojen neliöt"),
    },
}


def vacant(fte: float, vacant_fte: float, count: int) -> Cells:
    """What moves in a row of the vacancy mart when one of its posts is filled."""
    return {
        "vacant_position_count": count,
        "vacant_fte": pytest.approx(vacant_fte),
        "vacancy_rate": pytest.approx(vacant_fte / fte),
    }


RESTATED_CHANGES: Changes = {
    "fct_output_statistics": {(PHYSICIANS, "all", None, "2022-01"): {"value": 21_400}},
    # 21 400 + 20 500 + 22 000
    "mart_output_statistics": {(PHYSICIANS, 2022): {"value": 63_900}},
    "fct_budget_outturn": {
        ("apotti", None, None, False, "2022-02", "expenditure", "outturn"): {
            "amount": Decimal(9_450_000)
        }
    },
    # 0.15 more is spent: of Apotti's 59.6 and the division's 2 422.3.
    "mart_budget_outturn": {
        (2022, "apotti", "expenditure"): {
            "outturn_amount": euros("9.45"),
            "deviation_amount": euros("-50.15"),
            "deviation_share": pytest.approx(-50.15 / 59.6),
        },
        (2022, "apotti", "margin"): {
            "outturn_amount": euros("-9.40"),
            "deviation_amount": euros("49.80"),
            "deviation_share": pytest.approx(49.80 / 59.2),
        },
        (2022, "division_total", "expenditure"): {
            "outturn_amount": euros("396.91"),
            "deviation_amount": euros("-2025.39"),
            "deviation_share": pytest.approx(-2025.39 / 2422.3),
        },
        (2022, "division_total", "margin"): {
            "outturn_amount": euros("-370.45"),
            "deviation_amount": euros("1885.05"),
            "deviation_share": pytest.approx(1885.05 / 2255.5),
        },
    },
    "fct_positions": {(COUNTED, "V3"): {"has_holder": True, "is_vacant": False}},
    "mart_vacancies": {
        (COUNTED, CARE_CODE, "nursing"): vacant(4.3, 1.0, 1),
        (COUNTED, CARE_CODE, "ALL"): vacant(4.3, 1.0, 1),
        (COUNTED, "ALL", "nursing"): vacant(4.8, 1.0, 1),
        (COUNTED, "ALL", "ALL"): vacant(6.4, 1.6, 2),
        (COUNTED, CARE_CODE, "physicians"): {"shortfall_share": 0.26},
    },
    "fct_vacancies": {(COUNTED, CARE_CODE, "physicians"): {"shortfall_share": 0.26}},
    "fct_headcount": {
        ("2022-03", "administration", "ALL", "permanent_headcount"): {"value": 662.0}
    },
    "mart_workforce": {
        ("2022-03", "administration", "ALL", "permanent_headcount"): {"value": 662.0}
    },
    # Evidence belongs to the value it was given for.
    "fct_reported_values": {("T-21", "S1", "2022-Q1"): {"value": 0.0, "evidence": None}},
}

TABLES = sorted(MONTHS_CHANGES.keys() | RESTATED_CHANGES.keys())

# --- before and after -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """All tables of a release: the rows of each by its grain."""

    folder: Path
    rows: Mapping[str, Mapping[Key, Cells]]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return found


def published(home: Path) -> Published:
    folder = (home / "current").resolve()
    rows: dict[str, dict[Key, Cells]] = {}
    with duckdb.connect() as connection:
        files = folder / "parquet" / "internal" / "*.parquet"
        described = connection.execute(
            "select file_name, decode(value) from parquet_kv_metadata(?)"
            " where decode(key) = 'sotedw'",
            [str(files)],
        ).fetchall()
        for file, text in described:
            table = Path(file).stem
            if table in QUALITY:
                continue
            grain = json.loads(text)["grain"]
            cursor = connection.execute("select * from read_parquet(?)", [file])
            names = [column[0] for column in cursor.description]
            rows[table] = {}
            for values in cursor.fetchall():
                cells = dict(zip(names, values, strict=True))
                key = tuple(cells[name] for name in grain)
                assert key not in rows[table], f"{table} holds {key} twice"
                rows[table][key] = {
                    name: value
                    for name, value in cells.items()
                    if name not in PROVENANCE and name not in grain
                }
    return Published(folder, rows)


def changes(before: Published, after: Published) -> Changes:
    """Cells that differ: all cells of a new row but its labels, None for a row that is gone."""
    assert before.rows.keys() == after.rows.keys()
    found: Changes = {}
    for table, old_rows in before.rows.items():
        for key, new in after.rows[table].items():
            old = old_rows.get(key)
            if old is None:
                cells = {name: new[name] for name in new if not name.endswith(LABELS)}
            else:
                cells = {name: new[name] for name in new if new[name] != old[name]}
            if cells:
                found.setdefault(table, {})[key] = cells
        for key in old_rows.keys() - after.rows[table].keys():
            found.setdefault(table, {})[key] = {"gone": True}
    return found


@dataclass(frozen=True)
class Story:
    """The releases in their order."""

    before: Published
    after: Published
    restated: Published


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory,
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    deliver: Deliver,
) -> Story:
    root = tmp_path_factory.mktemp("recurring")
    landing = shutil.copytree(LANDING, root / "landing")
    home = copied_home(root)
    releases = [published(home)]
    for day, deliveries in ((MONTH, DELIVERIES), (RESTATEMENT, RESTATED_DELIVERIES)):
        for source, files in deliveries.items():
            deliver(landing, f"{source}/{day}", files)
        sotedw.done("build", "--home", home, "--landing", landing, "--threads", 2)
        releases.append(published(home))
    return Story(*releases)


def test_every_delivery_is_loaded_whole(story: Story) -> None:
    manifest = json.loads((story.restated.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["as_of_date"] == AS_OF.isoformat()
    found = {
        item["delivery_id"]: (item["rows_in"], item["rows_loaded"], item["findings"])
        for item in manifest["deliveries"]
    }
    for source, rows in ROWS.items():
        assert found[f"{source}/{MONTH}"] == (rows, rows, [])
        assert found[f"{source}/{RESTATEMENT}"] == (1, 1, [])


@pytest.mark.parametrize("table", TABLES)
def test_a_months_deliveries_move_exactly_their_cells(story: Story, table: str) -> None:
    assert changes(story.before, story.after).get(table, {}) == MONTHS_CHANGES.get(table, {})


@pytest.mark.parametrize("table", TABLES)
def test_restatements_move_exactly_their_cells(story: Story, table: str) -> None:
    assert changes(story.after, story.restated).get(table, {}) == RESTATED_CHANGES.get(table, {})


def test_no_other_table_moves(story: Story) -> None:
    assert changes(story.before, story.after).keys() == MONTHS_CHANGES.keys()
    assert changes(story.after, story.restated).keys() == RESTATED_CHANGES.keys()


#: Fact -> the source that its new rows come from.
FACTS = {
    "fct_output_statistics": "output_statistics",
    "fct_budget_outturn": "budget",
    "fct_positions": "positions",
    "fct_headcount": "personnel",
    "fct_vacancies": "shortfall",
    "fct_reported_values": "reported_values",
}


@pytest.mark.parametrize(("table", "source"), FACTS.items())
def test_a_row_says_which_delivery_it_comes_from(story: Story, table: str, source: str) -> None:
    counted = (
        f"select count(*) from {table} where delivery_id = '{source}/{{}}'"
        " and source_file is not null and source_line is not null"
    )
    delivered = len(MONTHS_CHANGES[table])
    assert story.after.query(counted.format(MONTH)) == [(delivered,)]
    assert story.restated.query(counted.format(MONTH)) == [(delivered - 1,)]
    assert story.restated.query(counted.format(RESTATEMENT)) == [(1,)]


def test_every_row_of_a_mart_names_a_delivery(story: Story) -> None:
    for table in ("mart_vacancies", "mart_workforce", "mart_output_statistics"):
        assert story.after.query(f"select * from {table} where delivery_id is null") == [], table


@pytest.mark.parametrize(("table", "source"), FACTS.items())
def test_a_restated_row_says_how_often_it_was_delivered(
    story: Story, table: str, source: str
) -> None:
    """Both values stay known: the row in force counts them."""
    versions = f"select version_count from {table} where delivery_id like '{source}/2022-0_-15'"
    assert set(story.after.query(versions)) == {(1,)}
    assert story.restated.query(f"{versions} and version_count <> 1") == [(2,)]
    assert story.restated.query(
        f"select version_count from {table} where delivery_id = '{source}/{RESTATEMENT}'"
    ) == [(2,)]


def test_what_is_counted_on_the_as_of_date_or_begins_after_it_is_not_known_yet(
    story: Story,
) -> None:
    """Counts of 31 October, and everything of November; October itself has begun."""
    for table in ("fct_positions", "fct_vacancies", "fct_headcount", "mart_vacancies"):
        assert story.restated.query(f"select max(count_date) from {table}") == [(COUNTED,)], table
    for table in (
        "fct_output_statistics",
        "fct_budget_outturn",
        "fct_reported_values",
        "mart_workforce",
    ):
        found = story.restated.query(f"select * from {table} where period_code = '2022-11'")
        assert found == [], table
    assert story.restated.query(
        "select measure_code, value from mart_workforce where period_code = '2022-10'"
    ) == [("resigned_count", 70.0)]


def test_every_margin_is_income_less_expenditure(story: Story) -> None:
    amounts = ("original", "amendment", "carry_over", "available", "outturn", "deviation")
    for name in amounts:
        column = f"{name}_amount"
        assert (
            story.restated.query(
                f"""
            select margin.fiscal_year, margin.budget_item_code, margin.{column}
            from mart_budget_outturn as margin
            join mart_budget_outturn as income using (fiscal_year, budget_item_code)
            join mart_budget_outturn as expenditure using (fiscal_year, budget_item_code)
            where margin.flow = 'margin' and income.flow = 'income'
                and expenditure.flow = 'expenditure'
                and margin.{column}
                <> coalesce(income.{column}, 0) - coalesce(expenditure.{column}, 0)
            """
            )
            == []
        ), name


# --- what controllers and units may send as well --------------------------------------------------


@pytest.fixture(scope="module")
def corners(
    tmp_path_factory: pytest.TempPathFactory, sotedw: Sotedw, deliver: Deliver
) -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks the database of a build over a few unusual deliveries, published or not."""
    root = tmp_path_factory.mktemp("corners")
    landing = root / "landing"
    shutil.copytree(LANDING / "budget", landing / "budget")
    deliver(
        landing,
        f"budget/{MONTH}",
        {
            "a.csv": BUDGET_HEADER
            + "Toimeentulotuki;;;2022;menot;alkuperainen;14 212 345;EUR;\n"
            + "Apotti;;;2022-01;menot;toteuma;4,0;MEUR;\n"
            + "Sosiaali- ja terveystoimiala yhteensä;;;2022-01;menot;toteuma;190,0;MEUR;\n"
            + "Toimeentulotuki;Avustukset;;2022-01;menot;toteuma;1,1;MEUR;\n"
            + "Toimeentulotuki;;Etelä;2022-01;menot;toteuma;0,4;MEUR;\n"
            + "Toimeentulotuki;;Pohjoinen;2022-01;menot;toteuma;0,7;MEUR;\n"
            + "HUS-kuntayhtymä;;;2022-02;menot;muutos;3,0;MEUR;\n"
            + "HUS-kuntayhtymä;;;2022-Q1;menot;muutos;3,0;MEUR;\n"
        },
    )
    deliver(
        landing,
        f"personnel/{MONTH}",
        {
            "a.csv": "MITTARI;HENKILOSTORYHMA;PALVELUKOKONAISUUS;JAKSO;ARVO\n"
            "vakanssit;Lääkärit;;2022-03;710\n"
            "vakanssit;Lääkärit;;2022-Q1;712\n"
        },
    )
    home = root / "home"
    sotedw("build", "--home", home, "--landing", landing, "--as-of", AS_OF, "--threads", 2)
    with duckdb.connect(str(home / "build" / "warehouse.duckdb"), read_only=True) as connection:
        cursor = connection.cursor()
        tables = ("mart_budget_outturn", "mart_vacancies", "mart_document_conflicts")
        rows = {
            table: cursor.execute(f"select * from main.{table}").to_arrow_table()
            for table in tables
        }

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as memory:
            for table, content in rows.items():
                memory.register(table, content)
            found: list[tuple[Any, ...]] = memory.execute(sql).fetchall()
        return found

    return ask


def test_a_restated_budget_of_2022_leaves_that_of_2021_as_it_was(
    corners: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    """2021 is the printed 14,0 less the printed cut of 1,0; only 2022 is restated. That contradicts
    nothing in print, neither the item's 14,0 nor the division's 2 408,3.
    """
    assert corners(
        "select fiscal_year, original_amount, original_basis from mart_budget_outturn"
        " where budget_item_code = 'social_assistance' and flow = 'expenditure' order by 1"
    ) == [
        (2021, Decimal("15000000.00"), "next_year_less_change"),
        (2022, Decimal("14212345.00"), "delivered"),
    ]
    assert corners(
        "select fiscal_year, original_amount from mart_budget_outturn"
        " where budget_item_code = 'division_total' and flow = 'expenditure' order by 1"
    ) == [(2021, Decimal("2298200000.00")), (2022, Decimal("2408512345.00"))]
    # As without the delivery: what the documents themselves contradict.
    assert corners(
        "select subject, first_value, second_value from mart_document_conflicts"
        " where kind <> 'two_names' and domain = 'budget' order by subject, first_source"
    ) == [
        ("budget/expenditure/original/division_total/2021", 2_298_300_000, 2_298_200_000),
        ("budget/expenditure/original/division_total/2021", 2_298_300_000, 2_298_200_000),
        ("budget/expenditure/printed_change/division_total/2022", 110_000_000, 110_100_000),
        ("budget/expenditure/printed_change/division_total/2022", 110_000_000, 110_100_000),
        ("budget/expenditure/printed_deviation/investments/2021", -7_400_000, -7_300_000),
        ("budget/income/outturn/division_total/2021", 347_300_000, 347_200_000),
        ("budget/income/printed_deviation/division_total/2021", 25_000_000, 24_900_000),
    ]


def test_the_total_of_a_few_items_is_not_called_the_divisions(
    corners: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    """Of five items only Apotti's and social assistance's are known; the division's own row says
    190 million.
    """
    assert corners(
        "select outturn_amount from mart_budget_outturn where fiscal_year = 2022"
        " and budget_item_code = 'division_total' and flow = 'expenditure'"
    ) == [(Decimal("190000000.00"),)]


def test_an_item_told_by_account_group_and_by_unit_counts_once(
    corners: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    """1.1 million of one account group is 0.4 of one unit and 0.7 of another."""
    assert corners(
        "select outturn_amount from mart_budget_outturn where fiscal_year = 2022"
        " and budget_item_code = 'social_assistance' and flow = 'expenditure'"
    ) == [(Decimal("1100000.00"),)]


def test_an_amendment_told_by_month_and_by_quarter_counts_once(
    corners: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    assert corners(
        "select amendment_amount from mart_budget_outturn where fiscal_year = 2022"
        " and budget_item_code = 'hus' and flow = 'expenditure'"
    ) == [(Decimal("3000000.00"),)]


def test_posts_told_by_month_and_by_quarter_are_one_row_of_the_day(
    corners: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    """31 March ends the month and the quarter; the mart has one row a day, entity and group."""
    assert corners(
        "select posts_count from mart_vacancies where count_date = '2022-03-31'"
        " and service_entity_code = 'ALL' and staff_group_code = 'physicians'"
    ) == [(710,)]
