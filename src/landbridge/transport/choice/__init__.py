"""Choice of route and corridor family, under a scenario and under delays at queues, with its derivative."""
