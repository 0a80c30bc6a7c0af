"""Turn results into what people read."""
