"""Traffic equilibrium on any road network: user equilibrium and stochastic equilibrium."""
