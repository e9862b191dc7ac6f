"""Text in tables is Python's, also where pyarrow is installed.

pandas then keeps text in pyarrow's arrays, which hold valid Unicode alone. The name of a file may be any bytes, which
Python has as lone surrogates (`os.fsdecode`): one such photo would make a table of its folder impossible.
"""

import pandas as pd

pd.options.mode.string_storage = "python"
