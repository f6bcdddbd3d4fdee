"""Reads exported tables as docs/export.md says, line for line, with DuckDB and pandas.

usage: read.py DIR, which holds all.parquet, all.csv, cells.parquet and cells.csv of one sweep over `concurrent` and `sequential` with goals.
"""

import math
import os
import pathlib
import re
import sys

import duckdb
import pandas

DOCUMENT = (pathlib.Path(__file__).parents[2] / "docs" / "export.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)\n```", DOCUMENT, re.DOTALL)


def documented_lines():
    read = 0
    for line in blocks("sql"):
        assert duckdb.sql(line).columns, line
        duckdb.sql(line).fetchall()
        read += 1
    for line in blocks("python"):
        assert len(eval(line)) > 0, line
        read += 1
    assert read >= 5, "docs/export.md shows fewer lines than it did"
    return read


def percentiles_are_those_of_the_report():
    shown = duckdb.sql(blocks("sql")[0]).fetchall()
    judged = duckdb.sql("SELECT variant, concurrent, sequential, value FROM 'cells.parquet' WHERE state = 'measured' ORDER BY ALL").fetchall()
    assert len(shown) == len(judged) > 0
    for here, there in zip(shown, judged):
        assert here[:3] == there[:3] and math.isclose(here[3], there[3], rel_tol=1e-9), (here, there)
    return len(shown)


def both_forms_are_one_table():
    for name in ("all", "cells"):
        by_form = [pandas.read_parquet(f"{name}.parquet"), pandas.read_csv(f"{name}.csv", low_memory=False)]
        heads = [list(table.columns) for table in by_form]
        assert heads[0] == heads[1] and len(by_form[0]) == len(by_form[1]) > 0, name
        in_duckdb = [duckdb.sql(f"SELECT count(*) FROM '{name}.{ending}'").fetchall()[0][0] for ending in ("parquet", "csv")]
        assert in_duckdb == [len(by_form[0])] * 2, (name, in_duckdb)
    rows = pandas.read_parquet("all.parquet")
    assert rows.concurrent.dtype == "int64" and rows.ttft_s.dtype == "float64" and rows.measured.dtype == "bool"
    assert rows.simulated.all()


os.chdir(sys.argv[1])
print(f"{documented_lines()} documented lines read; percentiles of {percentiles_are_those_of_the_report()} cells are those of the report")
both_forms_are_one_table()
