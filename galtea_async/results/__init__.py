"""Results where people use them: flat records, and from them JSON Lines, CSV, pandas and polars.

    records = evaluation_records(galtea, galtea.evaluations.iterate(version_ids="version_..."))
    await write_csv("scores.csv", records)

Four functions make records: `evaluation_records` of evaluations, joined with the names of their metrics and
your own ids of their sessions; `outcome_records` of what became of the sessions of a job; `score_records` of
the scores that came with that; `report_record` of a whole job. Four take them: `write_json_lines`,
`write_csv`, `to_pandas` and `to_polars`. The first two stream, in flat memory; the last two need an extra of
the same name.

A record is a flat dict of texts, numbers, booleans and `None`, so it is JSON as it stands. Times are texts in
ISO 8601 and in UTC, all of the same length, such as `2023-11-07T05:31:56.123000Z`: sorted as texts they are
sorted by time. The names of the columns and their order stay; new columns come last.
"""

from galtea_async.results.columns import ColumnKind
from galtea_async.results.csv_lines import write_csv
from galtea_async.results.evaluation_record import EvaluationRecord
from galtea_async.results.evaluation_records import evaluation_records
from galtea_async.results.frames import to_pandas, to_polars
from galtea_async.results.json_lines import write_json_lines
from galtea_async.results.outcome_records import OutcomeRecord, outcome_records
from galtea_async.results.records import Records
from galtea_async.results.report_record import ReportRecord, report_record
from galtea_async.results.score_records import ScoreRecord, score_records

__all__ = [
    "ColumnKind",
    "EvaluationRecord",
    "OutcomeRecord",
    "Records",
    "ReportRecord",
    "ScoreRecord",
    "evaluation_records",
    "outcome_records",
    "report_record",
    "score_records",
    "to_pandas",
    "to_polars",
    "write_csv",
    "write_json_lines",
]
