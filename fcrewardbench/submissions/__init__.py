"""Results that people send: packed, checked, and scored again.

A submission is a folder `submissions/<benchmark>/<organisation>__<model>`: `card.json` has facts about
the model and numbers that follow from the rows, `rows.parquet` what it made of every row.
"""
