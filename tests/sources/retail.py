"""A file of the layout online_retail, written out."""

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINE = "536365,85123A,HEART,6,2026-11-03 08:26:00,2.55,17850,United Kingdom\n"
