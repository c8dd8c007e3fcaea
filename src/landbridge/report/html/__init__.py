"""HTML pages: figures and tables of a run, and any document."""
