"""The claims of an article and published estimates, compared with the model."""
