"""Routes: searched by corridor family, kept as route sets, shown leg by leg."""
