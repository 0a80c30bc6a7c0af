"""Pure statistics of measurements: numbers in, numbers out; it reads no file, clock or network."""
