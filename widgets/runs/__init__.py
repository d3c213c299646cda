"""The table of runs: thousands of rows, of which the page holds those in sight.

`RunTable` is what others may import. It is handed plain data and imports nothing of `experiments`.
"""

from widgets.runs.table import RunTable as RunTable
