"""What lets programs written for `tensorflow`, Keras first of all, find headwater under that name."""
