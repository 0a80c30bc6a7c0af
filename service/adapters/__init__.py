"""The technologies behind the ports, one module or package each; none knows another."""
