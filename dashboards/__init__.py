"""Apps: notebooks that compose widgets, the gallery that lists them, and the `ipyfastai` command."""
