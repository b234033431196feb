"""Implementation layers of headwater; the public names live one folder up."""
