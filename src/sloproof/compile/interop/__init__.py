"""SLOs in the formats of other tools: read into our own, and written from it; no files are touched here."""
