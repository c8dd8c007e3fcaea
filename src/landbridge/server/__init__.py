"""A server on this machine: the answers of the commands as JSON, and pages of the same documents."""
