"""The claims of an article and the estimates of others beside the model."""
