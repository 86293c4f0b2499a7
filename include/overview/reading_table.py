"""How the file was read, as tables of the page: figures, rejected rows, warnings, notes, mapping."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from markupsafe import Markup

from include.intake import Answer
from include.intake.codes import REASONS
from include.intake.messages import Message, templates, written
from include.overview.figures import Figure
from include.overview.tables import Column, figure_of, table
from include.overview.templating import render
from include.overview.words import Words

MOST_SAMPLE = 120  # characters of a rejected row


def blocks(answer: Answer, words: Words) -> list[Markup]:
    """The tables of an answer."""
    columns: list[Column] = [("what", lambda row: row[0]), ("how", lambda row: row[1])]
    found = [table(words, columns, _facts(answer, words), kind="facts")]
    found.append(_rejected(answer, words))
    for kind, messages in (("warnings", answer.findings.warnings), ("notes", answer.findings.notes)):
        if messages:
            texts = dict.fromkeys(text_of(words, message) for message in messages)
            title = words(f"understood.{kind}")
            found.append(render("messages", title=title, texts=list(texts), is_warning=kind == "warnings"))
    if answer.mapping:
        columns = [("ours", lambda row: row[0]), ("theirs", lambda row: row[1])]
        rows = [
            (words.text(f"ours.{role}") if words.has(f"ours.{role}") else role, name)
            for role, name in answer.mapping.items()
        ]
        inner = table(words, columns, rows)
        found.append(render("details", summary=words("understood.mapping"), inner=inner))
    return found


def text_of(words: Words, message: Message) -> str:
    """A message of the intake in the language of the page, with its numbers, as a sentence."""
    text = written(message, words.language, lambda value: _number(value, words))
    if not templates(words.language)[message.key].startswith("{"):  # a file's name stays as it is
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def reason_of(words: Words, code: str) -> str:
    """Why rows were left out, in the language of the page."""
    return REASONS[code] if words.language == "en" else templates(words.language)[f"meaning.{code}"]


def _number(value: int | float | Decimal | date, words: Words) -> str:
    if isinstance(value, Decimal):
        return words.writer.money(value)
    if isinstance(value, date):
        return words.writer.day(value)
    return words.writer.share(value) if isinstance(value, float) else words.writer.decimal(value)


def _facts(answer: Answer, words: Words) -> list[tuple[Markup, Figure | Markup | str | None]]:
    """The figures of the answer, and how its net amount is divided among customers and guests."""
    figures = words.figures
    has_returns_only = "customers" in figures and figures["customers"].value != answer.customers
    rejected = sum(reason.count for reason in answer.rejected.values())
    platform = answer.platform.replace("_", " ") if answer.platform else words("understood.unknown_platform")
    rows: list[tuple[str, Figure | Markup | str | None]] = [
        ("file", answer.file.rpartition("/")[2] or answer.file),
        ("platform", platform),
        ("row_is", words(f"row_is.{answer.row_is or 'payment'}")),
        ("rows_read", Figure(answer.rows_read, "count")),
        ("rows_used", Figure(answer.rows_used, "count")),
        ("rows_rejected", Figure(rejected, "count")),
        ("guest_rows", Figure(answer.guest_rows, "count")),
        ("period", _period(answer, words)),
        ("currency", figures["currency"] if "currency" in figures else words("understood.no_currency")),
        ("customers", figure_of(answer.customers, "count")),
        *([("buyers", figures["customers"])] if has_returns_only else []),
        ("orders", figure_of(answer.orders, "count")),
        ("net_amount", figure_of(answer.net_amount, "money")),
    ]
    if "guest_sales" in figures or "returns_only" in figures:
        rows.append(("of_customers", figures.get("net_sales")))
        rows += [
            (key, figures[name])
            for key, name in (("of_guests", "guest_sales"), ("of_returns", "returns_only"))
            if name in figures
        ]
    return [(words(f"understood.{key}"), value) for key, value in rows]


def _period(answer: Answer, words: Words) -> Markup | None:
    if answer.first_day is None or answer.last_day is None:
        return None
    days = [words.figure(Figure(day, "day")) for day in (answer.first_day, answer.last_day)]
    return Markup(" \u2013 ").join(days)


def _rejected(answer: Answer, words: Words) -> Markup:
    if not answer.rejected:
        return render("paragraph", text=words("understood.none_rejected"))
    columns: list[Column] = [
        ("reason", lambda row: reason_of(words, row[0])),
        ("rows", lambda row: Figure(row[1].count, "count")),
        ("money", lambda row: Figure(Decimal(row[1].money), "money")),
        ("sample", lambda row: row[1].sample[0][:MOST_SAMPLE] if row[1].sample else None),
    ]
    rows = sorted(answer.rejected.items(), key=lambda item: -item[1].count)
    return render("titled", title=words("understood.rejected"), inner=table(words, columns, rows))
