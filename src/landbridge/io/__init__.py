"""The only readers and writers: text and files on one side, a World on the other."""
