"""Studies with the model, one file each: accuracy (validate), fitted numbers (calibrate) and others."""
