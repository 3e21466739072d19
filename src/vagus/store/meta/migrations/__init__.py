"""Each version of the metadata schema, as a step from the one before."""
