"""Datasets of insight: the firm's metrics, and the sentences written from them."""

import pyarrow as pa

from include.datasets.contract import FIRM_TOTAL, TEXT, Dataset, Earlier, column

FIRM_MEASURES = Dataset(
    name="firm_measures",
    about="One row per metric and member: numerator and denominator, from which firm_metrics are made.",
    grain=("metric", "member"),
    schema=pa.schema(
        [
            column("metric", TEXT, "Name of the metric in the glossary, or of a part of one.", required=True),
            column("member", TEXT, "Segment, risk category or action; empty for the firm.", required=True),
            column("numerator", FIRM_TOTAL, "Numerator; the value itself if the metric is not a ratio."),
            column("denominator", FIRM_TOTAL, "Denominator; null if the metric is not a ratio."),
        ]
    ),
)

FIRM_METRICS = Dataset(
    name="firm_metrics",
    about="One row per metric and member, such as a segment: its value and definition.",
    grain=("metric", "member"),
    earlier=(Earlier("9dac96aaa02032a6"),),  # amounts were decimal(18, 4)
    schema=pa.schema(
        [
            column("metric", TEXT, "Code of the metric: 'customers', 'retention_rate', ...", required=True),
            column(
                "member",
                TEXT,
                "Segment, risk category or action; empty for the whole firm.",
                required=True,
            ),
            column("unit", TEXT, "'count', 'days', 'money' or 'percent' (12.5 is 12.5 %).", required=True),
            column("numerator", FIRM_TOTAL, "Numerator; the value itself if the metric is not a ratio."),
            column("denominator", FIRM_TOTAL, "Denominator; null if the metric is not a ratio."),
            column(
                "metric_value",
                FIRM_TOTAL,
                "The value; null if undefined, if its module is off or history is short.",
            ),
            column("definition", TEXT, "Definition: numerator, denominator, days.", required=True),
        ]
    ),
)

FIRM_INSIGHT = Dataset(
    name="firm_insight",
    about="One row per language and sentence of the firm's insight, with the metrics it cites.",
    grain=("language_code", "place"),
    schema=pa.schema(
        [
            column("language_code", TEXT, "'en' or 'tr'.", required=True),
            column("place", pa.int32(), "Reading order, from 1.", required=True),
            column("is_firm_language", pa.bool_(), "Whether this is the firm's language.", required=True),
            column("kind", TEXT, "'headline', 'fact' or 'recommendation'.", required=True),
            column("rule_code", TEXT, "Code of the sentence template.", required=True),
            column("sentence", TEXT, "The text, with every number written out.", required=True),
            column(
                "cited_metrics",
                TEXT,
                "JSON list of metric, member and the value as shown: every number of the text.",
                required=True,
            ),
        ]
    ),
)
