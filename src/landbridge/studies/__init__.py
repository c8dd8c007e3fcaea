"""Questions asked of the model, one file each: is it right (validate), what was fitted (calibrate)."""
