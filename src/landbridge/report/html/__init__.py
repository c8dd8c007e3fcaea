"""One page to look at: figures and tables of a run, and any document as HTML."""
