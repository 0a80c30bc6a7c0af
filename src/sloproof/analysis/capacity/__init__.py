"""How much load a configuration carries within its objectives: pure, from observations to a bound."""
