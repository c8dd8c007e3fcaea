"""Routes: search by corridor family, route sets, routes leg by leg."""
