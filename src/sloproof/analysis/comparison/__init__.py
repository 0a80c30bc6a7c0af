"""Whether two configurations differ, by how much, and whether that matters; pure."""
