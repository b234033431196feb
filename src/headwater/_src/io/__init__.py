"""Files: the local file system, and the formats that TensorFlow's programs read and write."""
