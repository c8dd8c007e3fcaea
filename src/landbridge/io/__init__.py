"""The only readers and writers: from text and files to a World and back."""
