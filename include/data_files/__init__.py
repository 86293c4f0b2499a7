"""Data files of a firm: find them in a folder, limit their size, and refuse decompression bombs.

``folder`` lists and decompresses files, ``expansion`` checks parquet files. Sources and ``intake`` read
files only after these checks.
"""
