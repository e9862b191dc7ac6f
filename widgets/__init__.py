"""Components to see and click: each works alone in a notebook and together in a dashboard."""
