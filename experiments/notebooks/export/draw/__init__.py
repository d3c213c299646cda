"""What cells show, as HTML of a page that needs no network: `values.value_html` decides, the others draw one kind each.

A part that holds others (a layout, a table with drawings) draws them by `Sheet.draw`, which is handed to it.
"""
