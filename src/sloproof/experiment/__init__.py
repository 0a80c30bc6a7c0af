"""Turn an experiment file into trials, and trials into results on disk."""
